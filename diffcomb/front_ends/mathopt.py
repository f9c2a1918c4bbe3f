"""An OR-Tools MathOpt model, read where it lies."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffcomb.data.mixed_integer_model import Columns, assemble
from diffcomb.errors import InvalidInstanceError, UnsupportedError
from diffcomb.front_ends.columns import columns_of_objects
from diffcomb.front_ends.packages import require
from diffcomb.front_ends.rows import RowList, symmetric
from diffcomb.program.predicted_model import PredictedModel


def read_mathopt(model: Any, costs: Any = None) -> PredictedModel:
    """A `mathopt.Model` with linear rows and a linear or quadratic objective.

    Args:
        model: unnamed variables and rows are called by their number.
        costs: the variables whose objective coefficients are predicted, in this order; None: all.

    Raises:
        InvalidInstanceError, UnsupportedError: naming what cannot be taken.
    """
    mathopt = require("ortools.math_opt.python.mathopt", "OR-Tools", "ortools")
    if not isinstance(model, mathopt.Model):
        raise InvalidInstanceError(f"from_mathopt takes a mathopt.Model, got {type(model).__name__}.")
    for count, what in (
        (model.get_num_quadratic_constraints(), "quadratic constraints"),
        (model.get_num_indicator_constraints(), "indicator constraints"),
        (model.num_auxiliary_objectives(), "auxiliary objectives"),
    ):
        if count:
            raise UnsupportedError(f"The model has {what}, which no linear row says; write them as rows.")
    variables = list(model.variables())
    places = {variable.id: j for j, variable in enumerate(variables)}
    terms: dict[int, list[tuple[int, float]]] = {}
    for entry in model.linear_constraint_matrix_entries():
        column = places[entry.variable.id]
        terms.setdefault(entry.linear_constraint.id, []).append((column, entry.coefficient))
    rows = RowList()
    for row in model.linear_constraints():
        name = row.name or f"row {row.id}"
        rows.add(name, terms.get(row.id, ()), row.lower_bound, row.upper_bound)
    objective, linear = model.objective, np.zeros(len(variables))
    for term in objective.linear_terms():
        linear[places[term.variable.id]] = term.coefficient
    products = (
        (places[term.key.first_var.id], places[term.key.second_var.id], term.coefficient)
        for term in objective.quadratic_terms()
    )

    def place_of(item: Any) -> int | None:
        is_ours = isinstance(item, mathopt.Variable) and item.elemental is variables[0].elemental
        return places.get(item.id) if is_ours else None

    columns = Columns(
        tuple(variable.name or f"variable {variable.id}" for variable in variables),
        linear,
        np.array([variable.lower_bound for variable in variables]),
        np.array([variable.upper_bound for variable in variables]),
        np.array([variable.integer for variable in variables], dtype=bool),
    )
    read = assemble(
        "The MathOpt model",
        columns,
        rows.bounds(len(variables)),
        sense="max" if objective.is_maximize else "min",
        constant=float(objective.offset),
        Q=symmetric(products, len(variables)),
    )
    return PredictedModel.of(read, columns_of_objects(costs, place_of))
