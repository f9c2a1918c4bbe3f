"""A cvxpy problem with parameters: its canonical form as affine maps of what is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from scipy import sparse

from diffcomb.errors import InvalidInstanceError, UnsupportedError
from diffcomb.front_ends.affine_rows import AffineRows, affine_matrix
from diffcomb.front_ends.packages import require
from diffcomb.program.affine_map import AffineMap
from diffcomb.program.cost_map import CostMap
from diffcomb.program.names import Names
from diffcomb.program.open_program import OpenProgram
from diffcomb.program.parameters import Parameters
from diffcomb.program.predicted_model import PredictedModel


def read_cvxpy(problem: Any, parameters: Any) -> PredictedModel:
    """min or max of a mixed-integer linear or convex quadratic cvxpy problem that follows its rules (DPP).

    cvxpy writes it as q(p)'x + x'P(p)x / 2 over rows A(p)x + b(p) that are 0 or not negative, everything
    affine in p; abs, max, pos and the like bring continuous variables of their own. Rows of one variable
    whose data are fixed become bounds.

    Args:
        problem: a `cvxpy.Problem`; left as it is.
        parameters: its parameters that are predicted, in the order of theta, each row by row. The others
            count as their values now.

    Raises:
        MissingBackendError: cvxpy is not installed.
        InvalidInstanceError: not a problem, a parameter it does not have, one without a value.
        UnsupportedError: not DPP, cones other than linear ones, matrix variables of restricted form.
    """
    cp = require("cvxpy", "cvxpy", "'diffcomb[front_ends]'")
    if not isinstance(problem, cp.Problem):
        raise InvalidInstanceError(f"from_cvxpy takes a cvxpy.Problem, got {type(problem).__name__}.")
    predicted = [parameters] if isinstance(parameters, cp.Parameter) else list(parameters)
    _check_parameters(cp, problem, predicted)
    _check_rules(cp, problem)
    canonical = _canonical(cp, problem)
    take = _Columns.of(canonical, predicted, problem.parameters())
    sign = -1 if isinstance(problem.objective, cp.Maximize) else 1
    costs = take.split(canonical.q)
    n = canonical.x.size
    slope, offset = sign * costs.matrix[[n]].toarray().ravel(), sign * float(costs.constant[n])
    cost_map = CostMap.of(n, sign * costs.matrix[:n], sign * costs.constant[:n], _sense(sign), slope, offset)
    rows, maps = _feasible_set(problem, canonical, take)
    values = [parameter.value for parameter in predicted]
    return PredictedModel(
        rows=rows,
        cost_map=cost_map,
        costs=None if any(v is None for v in values) else np.concatenate([np.ravel(v) for v in values]),
        names=tuple(_entry(p.name(), place) for p in predicted for place in np.ndindex(p.shape)),
        parameters=None if maps.is_empty else maps,
        signs=np.concatenate([np.full(p.size, _sign(p)) for p in predicted]),
    )


def _feasible_set(problem: Any, canonical: Any, take: _Columns) -> tuple[OpenProgram, Parameters]:
    """The rows of both kinds, bounds and the quadratic term, and where p enters them."""
    n, m = canonical.x.size, canonical.constr_size
    if canonical.lb_tensor is not None or canonical.ub_tensor is not None:
        raise UnsupportedError("A bound of a variable is a parameter; write it as a constraint.")
    data = AffineRows.of(*take.entries(canonical.A), m, n, _row_labels(problem, canonical))
    cones = canonical.cone_dims
    zero, nonneg = data.subset(np.arange(cones.zero)), data.subset(np.arange(cones.zero, m))
    lower, upper = (
        np.full(n, fill) if given is None else np.array(given, dtype=np.float64)
        for given, fill in ((canonical.lower_bounds, -np.inf), (canonical.upper_bounds, np.inf))
    )
    integer = np.zeros(n, dtype=bool)
    for (j,) in canonical.x.boolean_idx:
        integer[j], lower[j], upper[j] = True, max(lower[j], 0.0), min(upper[j], 1.0)
    for (j,) in canonical.x.integer_idx:
        integer[j] = True
    # A x + b >= 0 says -A x <= b
    zero, nonneg = zero.without_bounds(lower, upper, equal=True), nonneg.without_bounds(lower, upper)
    quadratic, quadratic_map = affine_matrix(*take.entries(canonical.P), n, n)
    A, A_map = zero.matrix()
    G, G_map = nonneg.matrix()
    open_program = replace(
        OpenProgram.of(None, None, None, None, lower, upper, integer, None, _names(problem, canonical)),
        A=A,
        b=-zero.side.constant,
        G=-G,
        h=nonneg.side.constant,
        quadratic=quadratic if quadratic.nnz else None,
    )
    names = replace(open_program.names, equalities=zero.labels, inequalities=nonneg.labels)
    maps = Parameters(
        A=A_map,
        b=_or_none(zero.side, -1),
        G=None if G_map is None else AffineMap(-G_map.matrix, -G_map.constant),
        h=_or_none(nonneg.side, 1),
        quadratic=quadratic_map,
    )
    return replace(open_program, names=names), maps


def _or_none(side: AffineMap, sign: int) -> AffineMap | None:
    return AffineMap(sparse.csr_array(sign * side.matrix), sign * side.constant) if side.matrix.nnz else None


class _Columns:
    """Which columns of cvxpy's tensors are theta, and what the others amount to."""

    def __init__(self, places: np.ndarray, others: np.ndarray, values: np.ndarray) -> None:
        self._places, self._others, self._values = places, others, values

    @staticmethod
    def of(canonical: Any, predicted: Sequence[Any], parameters: Sequence[Any]) -> _Columns:
        places = np.concatenate([_columns(p, canonical.param_id_to_col) for p in predicted])
        rest = [p for p in parameters if all(p is not one for one in predicted)]
        others = [_columns(p, canonical.param_id_to_col) for p in rest]
        values = [np.ravel(p.value) for p in rest]
        constant = np.array([canonical.total_param_size])
        return _Columns(places, np.concatenate([*others, constant]), np.concatenate([*values, np.ones(1)]))

    def entries(self, tensor: Any) -> tuple[np.ndarray, AffineMap]:
        """The rows of a tensor that are not empty, and those as functions of theta."""
        listed = sparse.coo_array(tensor)
        present, row = np.unique(listed.row, return_inverse=True)
        shape = (len(present), listed.shape[1])
        return present, self.split(sparse.csc_array((listed.data, (row, listed.col)), shape=shape))

    def split(self, tensor: Any) -> AffineMap:
        """All rows of a tensor as functions of theta."""
        table = sparse.csc_array(tensor)
        moved = sparse.csr_array(table[:, self._places])
        moved.eliminate_zeros()
        return AffineMap(moved, table[:, self._others] @ self._values)


def _columns(parameter: Any, first: dict[int, int]) -> np.ndarray:
    """Columns of a parameter's entries, row by row; cvxpy counts them column by column."""
    places = np.arange(parameter.size).reshape(parameter.shape, order="F")
    return first[parameter.id] + np.ravel(places)


def _names(problem: Any, canonical: Any) -> Names:
    labels = [f"auxiliary[{j}]" for j in range(canonical.x.size)]
    blocks = []
    for variable in problem.variables():
        first = canonical.var_id_to_col[variable.id]
        columns = first + np.arange(variable.size).reshape(variable.shape, order="F")
        for place in np.ndindex(variable.shape):
            labels[columns[place]] = _entry(variable.name(), place)
        blocks.append((variable.name(), columns))
    return Names(tuple(labels), (), (), tuple(blocks))


def _row_labels(problem: Any, canonical: Any) -> tuple[str, ...]:
    """Constraints as their author wrote them."""
    written = {constraint.id: constraint for constraint in problem.constraints}
    labels: list[str] = []
    for row in canonical.constraints:
        if row.id not in written:
            labels += ["an auxiliary row"] * row.size
            continue
        text = str(written[row.id])
        places = (np.unravel_index(k, row.shape, order="F") for k in range(row.size))
        labels += [text if row.size == 1 else f"{text} at {_entry('', place)}" for place in places]
    return tuple(labels)


def _entry(name: str, place: Sequence[Any]) -> str:
    return f"{name}[{','.join(str(int(k)) for k in place)}]" if len(place) else name


def _check_parameters(cp: Any, problem: Any, predicted: list[Any]) -> None:
    known = {id(parameter) for parameter in problem.parameters()}
    for k, parameter in enumerate(predicted):
        if not isinstance(parameter, cp.Parameter):
            raise InvalidInstanceError(
                f"parameters takes cvxpy.Parameter objects, got {type(parameter).__name__}."
            )
        if id(parameter) not in known:
            raise InvalidInstanceError(f"Parameter {parameter.name()} does not occur in the problem.")
        if any(parameter is other for other in predicted[:k]):
            raise InvalidInstanceError(f"Parameter {parameter.name()} is named twice.")
    if not predicted:
        raise InvalidInstanceError("Nothing is predicted; name at least one parameter of the problem.")
    for leaf in [*problem.parameters(), *problem.variables()]:
        if leaf.is_complex() or leaf._has_dim_reducing_attr or leaf.attributes["hermitian"]:
            raise UnsupportedError(
                f"{leaf.name()} is complex, symmetric, diagonal or sparse by declaration; declare it plain."
            )
    for other in problem.parameters():
        if other.value is None and all(other is not one for one in predicted):
            raise InvalidInstanceError(
                f"Parameter {other.name()} has no value and is not predicted; do either."
            )


def _check_rules(cp: Any, problem: Any) -> None:
    if not problem.variables():
        raise InvalidInstanceError("The problem has no variables.")
    wrong = next((part for part in _parts(problem) if not part.is_dcp()), None)
    if wrong is not None:
        raise UnsupportedError(f"{_said(wrong)} is not convex by cvxpy's rules (DCP).")
    if problem.is_dpp(quad_form_dpp="qp"):
        return
    wrong = next((c for c in problem.constraints if not c.is_dcp(dpp=True)), problem.objective)
    names = ", ".join(parameter.name() for parameter in wrong.parameters())
    raise UnsupportedError(
        f"{_said(wrong)} is not affine in its parameters ({names}) by cvxpy's rules (DPP): make products of"
        " parameters a parameter of their own."
    )


def _canonical(cp: Any, problem: Any) -> Any:
    """cvxpy's own canonical form, as it would give it to a solver that takes linear rows and bounds."""

    def canonicalize(objective: Any, constraints: list[Any]) -> Any:
        # another Problem, so that the caller's keeps what it has cached
        return cp.Problem(objective, constraints).get_problem_data(_target())[0]["problem"]

    try:
        return canonicalize(problem.objective, problem.constraints)
    except cp.error.SolverError:
        pass
    for constraint in problem.constraints:
        try:
            canonicalize(cp.Minimize(0 * sum(map(cp.sum, constraint.variables()))), [constraint])
        except cp.error.SolverError:
            raise UnsupportedError(
                f"Constraint {constraint} needs a cone that is not linear, which is not supported; only"
                " linear rows and a quadratic objective are."
            ) from None
    raise UnsupportedError(
        f"{_said(problem.objective)} needs a cone that is not linear, which is not supported; only linear"
        " rows and a quadratic objective are."
    )


@cache
def _target() -> Any:
    """A solver that solves nothing: cvxpy shapes problems for it."""
    solver = require("cvxpy.reductions.solvers.qp_solvers.qp_solver", "cvxpy", "'diffcomb[front_ends]'")

    class Diffcomb(solver.QpSolver):  # type: ignore[name-defined]
        MIP_CAPABLE = True
        BOUNDED_VARIABLES = True

        def name(self) -> str:
            return "DIFFCOMB"

        def import_solver(self) -> None:
            pass

        def apply(self, problem: Any) -> tuple[dict[str, Any], dict[str, Any]]:
            return {"problem": problem}, {}

        def _nothing(self, *_: Any, **__: Any) -> None:
            raise NotImplementedError

        cite = invert = solve_via_data = _nothing

    return Diffcomb()


def _parts(problem: Any) -> list[Any]:
    return [problem.objective, *problem.constraints]


def _said(part: Any) -> str:
    return f"Objective {part}" if hasattr(part, "expr") and hasattr(part, "NAME") else f"Constraint {part}"


def _sense(sign: int) -> str:
    return "min" if sign > 0 else "max"


def _sign(parameter: Any) -> int:
    if parameter.attributes["nonneg"] or parameter.attributes["pos"]:
        return 1
    return -1 if parameter.attributes["nonpos"] or parameter.attributes["neg"] else 0
