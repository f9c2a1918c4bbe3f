"""OR-Tools CP-SAT (Apache-2.0) as an oracle for 0-1 programs with integer rows."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from ortools.sat.python import cp_model
from scipy import sparse

from diffcomb.errors import UnsupportedError
from diffcomb.oracles.mip.loop import MipOracle, MipOutcome
from diffcomb.oracles.result import Status
from diffcomb.program import Program, Rows

#: costs (largest magnitude 1) are rounded to multiples of this; decisions are optimal on that grid,
#: that is, to n times half of it
_GRID = 2.0**-30


class _CpSatModel:
    def __init__(self, polytope: Program, cost: np.ndarray, seed: int) -> None:
        self._model = cp_model.CpModel()
        self._vars = [self._model.new_bool_var(f"z{i}") for i in range(polytope.num_vars)]
        self._seed = seed
        self._cost = np.round(cost / _GRID).astype(np.int64)
        self._model.minimize(cp_model.LinearExpr.weighted_sum(self._vars, self._cost.tolist()))
        self._append(polytope.A, polytope.b, equality=True)
        self._append(polytope.G, polytope.h, equality=False)

    def _append(self, matrix: sparse.csr_array, rhs: np.ndarray, *, equality: bool) -> None:
        for k in range(len(rhs)):
            span = slice(matrix.indptr[k], matrix.indptr[k + 1])
            coefficients, bound = _integer_row(matrix.data[span], float(rhs[k]), equality)
            row = cp_model.LinearExpr.weighted_sum(
                [self._vars[i] for i in matrix.indices[span]], coefficients
            )
            self._model.add(row == bound if equality else row <= bound)

    def add_rows(self, rows: Rows) -> None:
        self._append(rows.G, rows.h, equality=False)

    def solve(self, seconds: float | None) -> MipOutcome:
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self._seed
        solver.parameters.linearization_level = 2
        if seconds is not None:
            solver.parameters.max_time_in_seconds = seconds
        status = solver.solve(self._model)
        if status == cp_model.INFEASIBLE:
            return MipOutcome(None, np.inf, Status.INFEASIBLE)
        bound = solver.best_objective_bound * _GRID
        if status == cp_model.UNKNOWN:
            return MipOutcome(None, bound, Status.UNKNOWN)
        z = np.array([float(solver.boolean_value(v)) for v in self._vars])
        return MipOutcome(z, bound, Status.OPTIMAL if status == cp_model.OPTIMAL else Status.FEASIBLE)


def _integer_row(data: np.ndarray, rhs: float, equality: bool) -> tuple[list[int], int]:
    """The same row with integer coefficients, exactly.

    Raises:
        UnsupportedError: a coefficient is not a multiple of any 1/d, d <= 10^6.
    """
    values = [*data.tolist(), rhs] if equality else data.tolist()
    fractions = [Fraction(v).limit_denominator(10**6) for v in values]
    if any(abs(float(f) - v) > 1e-12 * max(1.0, abs(v)) for f, v in zip(fractions, values, strict=True)):
        raise UnsupportedError("CP-SAT needs rows with rational coefficients; use oracle='highs'.")
    scale = int(np.lcm.reduce([f.denominator for f in fractions], dtype=object)) if fractions else 1
    if scale * max((abs(v) for v in values), default=0) > 2**40:
        raise UnsupportedError("CP-SAT cannot hold these coefficients as integers; use oracle='highs'.")
    integers = [int(f * scale) for f in fractions]
    if equality:
        return integers[:-1], integers[-1]
    # an integer left-hand side: rounding the right-hand side down changes nothing but float noise
    return integers, int(np.floor(rhs * scale + 1e-6))


CPSAT = MipOracle("cpsat", _CpSatModel)
