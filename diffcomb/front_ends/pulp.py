"""A PuLP problem, read where it lies, so that no name is changed and no column moved."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffcomb.data.mixed_integer_model import Columns, assemble
from diffcomb.errors import InvalidInstanceError, UnsupportedError
from diffcomb.front_ends.columns import columns_of_objects
from diffcomb.front_ends.packages import require
from diffcomb.front_ends.rows import RowList
from diffcomb.program.names import first_repeated
from diffcomb.program.predicted_model import PredictedModel


def read_pulp(model: Any, costs: Any = None) -> PredictedModel:
    """A `pulp.LpProblem`; variables of `costs` that it does not use yet join it.

    Args:
        model: its objective may be empty.
        costs: the variables whose objective coefficients are predicted, in this order: LpVariable.dicts,
            a list or one variable; None: all, in PuLP's order, which is by name.

    Raises:
        MissingBackendError: PuLP is not installed.
        InvalidInstanceError, UnsupportedError: naming what cannot be taken.
    """
    pulp = require("pulp", "PuLP", "pulp")
    if not isinstance(model, pulp.LpProblem):
        raise InvalidInstanceError(f"from_pulp takes a pulp.LpProblem, got {type(model).__name__}.")
    if model.sos1 or model.sos2:
        raise UnsupportedError("The model has SOS constraints, which no linear row says; write them as rows.")
    variables = list(model.variables())
    places = {id(variable): j for j, variable in enumerate(variables)}

    def place_of(item: Any) -> int | None:
        if not isinstance(item, pulp.LpVariable):
            return None
        if id(item) not in places:
            places[id(item)] = len(variables)
            variables.append(item)
        return places[id(item)]

    predicted = columns_of_objects(costs, place_of)
    names = tuple(variable.name for variable in variables)
    repeated = first_repeated(names)
    if repeated is not None:
        raise InvalidInstanceError(f"Two variables are called {repeated}; PuLP needs one name each.")
    rows = RowList()
    # a dict up to PuLP 3, a method from 4 on
    constraints = model.constraints() if callable(model.constraints) else model.constraints.values()
    for row in constraints:
        side = -float(row.constant)
        rows.add(
            row.name,
            [(places[id(variable)], value) for variable, value in row.items()],
            -np.inf if row.sense == pulp.LpConstraintLE else side,
            np.inf if row.sense == pulp.LpConstraintGE else side,
        )
    linear = np.zeros(len(variables))
    for variable, value in model.objective.items() if model.objective is not None else ():
        linear[places[id(variable)]] += value
    low = [-np.inf if variable.lowBound is None else float(variable.lowBound) for variable in variables]
    high = [np.inf if variable.upBound is None else float(variable.upBound) for variable in variables]
    columns = Columns(
        names,
        linear,
        np.array(low),
        np.array(high),
        np.array([variable.cat == pulp.LpInteger for variable in variables]),
    )
    read = assemble(
        "The PuLP problem",
        columns,
        rows.bounds(len(variables)),
        sense="min" if model.sense == pulp.LpMinimize else "max",
        constant=0.0 if model.objective is None else float(model.objective.constant),
    )
    return PredictedModel.of(read, predicted)
