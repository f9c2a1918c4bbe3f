"""A Pyomo model, read where it lies: no file, so no symbol map between names and columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from diffcomb.data.mixed_integer_model import Columns, assemble
from diffcomb.errors import InvalidInstanceError, UnsupportedError
from diffcomb.front_ends.columns import columns_of_objects
from diffcomb.front_ends.packages import require
from diffcomb.front_ends.rows import RowList, symmetric
from diffcomb.program.predicted_model import PredictedModel

#: components that carry no constraint of their own beside the ones read here
_KNOWN = {
    "Var", "Constraint", "Objective", "Param", "Set", "RangeSet", "SetOf", "Expression", "Block", "Suffix",
    "BuildAction", "BuildCheck",
}  # fmt: skip


def read_pyomo(model: Any, costs: Any = None) -> PredictedModel:
    """A concrete Pyomo model with linear constraints and a linear or quadratic objective.

    Fixed variables stay variables, with their value as both bounds; parameters count as their values.

    Args:
        model: a ConcreteModel or an instance of an AbstractModel, with one active objective.
        costs: the variables whose objective coefficients are predicted, in this order: a Var, a list;
            None: all.

    Raises:
        MissingBackendError: Pyomo is not installed.
        InvalidInstanceError, UnsupportedError: naming what cannot be taken.
    """
    pyo = require("pyomo.environ", "Pyomo", "pyomo")
    repn = require("pyomo.repn", "Pyomo", "pyomo")
    if not hasattr(model, "component_data_objects") or not model.is_constructed():
        raise InvalidInstanceError(
            f"from_pyomo takes a concrete Pyomo model (create_instance of an abstract one), got {model}."
        )
    foreign = sorted(t.__name__ for t in model.collect_ctypes(active=True) if t.__name__ not in _KNOWN)
    if foreign:
        raise UnsupportedError(f"The model has a {foreign[0]}; transform it into constraints first.")
    objectives = list(model.component_data_objects(pyo.Objective, active=True))
    if len(objectives) != 1:
        raise InvalidInstanceError(f"The model needs one active objective, it has {len(objectives)}.")
    variables = list(model.component_data_objects(pyo.Var, active=True))
    places = {id(variable): j for j, variable in enumerate(variables)}

    def place_of(item: Any) -> int | None:
        return places.get(id(item))

    def place(item: Any) -> int:
        """Of a variable in an expression, which may live outside the model."""
        if id(item) not in places:
            places[id(item)] = len(variables)
            variables.append(item)
        return places[id(item)]

    rows = RowList()
    with _unfixed(model, pyo) as fixed:
        for row in model.component_data_objects(pyo.Constraint, active=True):
            body = repn.generate_standard_repn(row.body, compute_values=True, quadratic=False)
            if body.nonlinear_expr is not None:
                raise UnsupportedError(f"Constraint {row.name} is not linear.")
            low = -np.inf if row.lb is None else row.lb - body.constant
            high = np.inf if row.ub is None else row.ub - body.constant
            terms = zip(map(place, body.linear_vars), body.linear_coefs, strict=True)
            rows.add(row.name, terms, float(low), float(high))
        goal = repn.generate_standard_repn(objectives[0].expr, compute_values=True, quadratic=True)
        if goal.nonlinear_expr is not None:
            raise UnsupportedError(f"Objective {objectives[0].name} is neither linear nor quadratic.")
        linear = [(place(v), c) for v, c in zip(goal.linear_vars, goal.linear_coefs, strict=True)]
        products = [
            (place(v), place(w), c)
            for (v, w), c in zip(goal.quadratic_vars, goal.quadratic_coefs, strict=True)
        ]
    n = len(variables)
    ends = np.array([_bounds(variable, fixed) for variable in variables]).reshape(n, 2)
    columns = Columns(
        tuple(variable.name for variable in variables),
        _dense(linear, n),
        ends[:, 0],
        ends[:, 1],
        np.array([_is_integer(variable) for variable in variables]),
    )
    read = assemble(
        "The Pyomo model",
        columns,
        rows.bounds(n),
        sense="min" if objectives[0].sense == pyo.minimize else "max",
        constant=float(goal.constant),
        Q=symmetric(products, n),
    )
    return PredictedModel.of(read, columns_of_objects(costs, place_of))


@contextmanager
def _unfixed(model: Any, pyo: Any) -> Iterator[dict[int, float]]:
    """Fixed variables set free while expressions are read, id -> value; fixed again afterwards."""
    fixed = [variable for variable in model.component_data_objects(pyo.Var) if variable.fixed]
    values = {id(variable): float(pyo.value(variable)) for variable in fixed}
    try:
        for variable in fixed:
            variable.unfix()
        yield values
    finally:
        for variable in fixed:
            variable.fix(values[id(variable)], skip_validation=True)


def _bounds(variable: Any, fixed: dict[int, float]) -> tuple[float, float]:
    if id(variable) in fixed:
        return fixed[id(variable)], fixed[id(variable)]
    low, high = variable.bounds
    return (-np.inf if low is None else float(low)), (np.inf if high is None else float(high))


def _is_integer(variable: Any) -> bool:
    if not (variable.is_integer() or variable.is_binary() or variable.is_continuous()):
        raise UnsupportedError(
            f"Variable {variable.name} takes values of {variable.domain} only; write it with 0-1 variables."
        )
    return not variable.is_continuous()


def _dense(terms: list[tuple[int, float]], n: int) -> np.ndarray:
    out = np.zeros(n)
    for column, value in terms:
        out[column] += value
    return out
