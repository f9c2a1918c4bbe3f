"""A gurobipy model, read where it lies: no file, no licence."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from diffcomb.data.mixed_integer_model import Columns, RowBounds, assemble
from diffcomb.errors import InvalidInstanceError, UnsupportedError
from diffcomb.front_ends.columns import columns_of_objects
from diffcomb.front_ends.packages import require
from diffcomb.program.predicted_model import PredictedModel

#: what a gurobipy model can have that no mixed-integer linear or quadratic program has
_FOREIGN = {
    "NumSOS": "SOS constraints",
    "NumQConstrs": "quadratic constraints",
    "NumGenConstrs": "general constraints",
    "NumPWLObjVars": "piecewise linear objectives",
}


def read_gurobi(model: Any, costs: Any = None) -> PredictedModel:
    """Everything of a `gurobipy.Model` but solver parameters and start values.

    Args:
        model: linear rows, a linear or quadratic objective.
        costs: the variables whose objective coefficients are predicted, in this order: a list, tupledict,
            dict, MVar or one variable; None: all.

    Raises:
        MissingBackendError: gurobipy is not installed.
        InvalidInstanceError, UnsupportedError: naming what cannot be taken.
    """
    grb = require("gurobipy", "Gurobi", "gurobipy")
    if not isinstance(model, grb.Model):
        raise InvalidInstanceError(f"from_gurobi takes a gurobipy.Model, got {type(model).__name__}.")
    model.update()
    for attribute, what in _FOREIGN.items():
        if getattr(model, attribute):
            raise UnsupportedError(f"The model has {what}, which no linear row says; write them as rows.")
    if model.NumObj > 1:
        raise UnsupportedError("The model has several objectives; keep one.")
    variables, kept, slacks = model.getVars(), *_split(model)
    number = {int(j): k for k, j in enumerate(kept)}

    def place_of(item: Any) -> int | None:
        if not isinstance(item, grb.Var) or not 0 <= item.index < len(variables):
            return None
        return number.get(item.index) if variables[item.index].sameAs(item) else None

    read = assemble(
        "The Gurobi model",
        _columns(model, [variables[j] for j in kept]),
        _rows(model, kept, slacks),
        sense="min" if model.ModelSense == 1 else "max",
        constant=float(model.ObjCon),
        Q=_quadratic(model)[kept][:, kept] if model.IsQP else None,
    )
    return PredictedModel.of(read, columns_of_objects(costs, place_of))


def _split(model: Any) -> tuple[np.ndarray, dict[int, int]]:
    """Columns the user wrote, and row -> column of the slacks that `addRange` makes: x + Rgname = high."""
    names, costs, matrix = model.getAttr("VarName"), model.getAttr("Obj"), sparse.csc_array(model.getA())
    row_of = {f"Rg{name}": k for k, name in enumerate(model.getAttr("ConstrName"))}
    slacks = {}
    for j in np.flatnonzero(np.diff(matrix.indptr) == 1):
        k = matrix.indices[matrix.indptr[j]]
        if row_of.get(names[j]) == k and matrix.data[matrix.indptr[j]] == 1.0 and costs[j] == 0.0:
            slacks[int(k)] = int(j)
    return np.setdiff1d(np.arange(len(names)), list(slacks.values())), slacks


def _columns(model: Any, variables: list[Any]) -> Columns:
    kinds = np.array(model.getAttr("VType", variables))
    partial = np.flatnonzero(~np.isin(kinds, ["B", "I", "C"]))
    if len(partial):
        raise UnsupportedError(
            f"Variable {variables[partial[0]].VarName} is semi-continuous or semi-integer; add a 0-1 variable"
            " that switches it."
        )
    lower = np.array(model.getAttr("LB", variables), dtype=np.float64)
    upper = np.array(model.getAttr("UB", variables), dtype=np.float64)
    binary = kinds == "B"
    return Columns(
        tuple(model.getAttr("VarName", variables)),
        np.array(model.getAttr("Obj", variables), dtype=np.float64),
        np.where(binary, np.maximum(lower, 0.0), lower),
        np.where(binary, np.minimum(upper, 1.0), upper),
        kinds != "C",
    )


def _rows(model: Any, kept: np.ndarray, slacks: dict[int, int]) -> RowBounds:
    sense = np.array(model.getAttr("Sense", model.getConstrs()))
    side = np.array(model.getAttr("RHS", model.getConstrs()), dtype=np.float64)
    low, high = np.where(sense == "<", -np.inf, side), np.where(sense == ">", np.inf, side)
    variables = model.getVars()
    for k, j in slacks.items():
        low[k], high[k] = side[k] - variables[j].UB, side[k] - variables[j].LB
    matrix = sparse.csr_array(sparse.csc_array(model.getA())[:, kept])
    return RowBounds(tuple(model.getAttr("ConstrName", model.getConstrs())), matrix, low, high)


def _quadratic(model: Any) -> sparse.csr_array:
    """Q of x'Q x / 2: gurobipy's getQ has each product once."""
    half = sparse.csr_array(model.getQ())
    return sparse.csr_array(half + half.T)
