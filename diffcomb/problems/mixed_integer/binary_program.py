"""The 0-1 case of a mixed-integer program."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from diffcomb.errors import InvalidInstanceError
from diffcomb.front_ends import read_file
from diffcomb.problems.mixed_integer.mixed_integer import MixedIntegerProgram
from diffcomb.program import CostMap, OpenProgram, PredictedModel


class BinaryProgram(MixedIntegerProgram):
    """min theta'z subject to A z = b, G z <= h, z in {0,1}^n.

    Program: the LP relaxation, in general an outer one, so x_rho approximates conv(Z) from outside;
    where the LP optimum is z* the layer certifies it.

    Args:
        A, b: equalities, dense or sparse (p, n) and (p,), or None.
        G, h: inequalities (q, n) and (q,), or None.
        integral, cuts: as of `MixedIntegerProgram`.
        model: what a front end read, in place of the rows.
    """

    def __init__(
        self,
        A: Any = None,
        b: Any = None,
        G: Any = None,
        h: Any = None,
        *,
        integral: bool = False,
        cuts: bool = False,
        model: PredictedModel | None = None,
    ) -> None:
        super().__init__(A, b, G, h, integral=integral, cuts=cuts, model=model)

    @classmethod
    def _of(cls, model: PredictedModel) -> BinaryProgram:
        return cls(model=replace(model, rows=_binary(model)))

    @classmethod
    def from_mps(  # type: ignore[override]
        cls, path: str | Path, *, cuts: bool = False
    ) -> BinaryProgram:
        """From an MPS or LP file, or a `highspy.Highs` model; all variables binary.

        The objective becomes `costs`, negated if the file maximises; a constant term is dropped. Bounds
        that leave one value (x <= 0.5) become an equality. `MixedIntegerProgram.from_mps` keeps sense and
        constant.

        Raises:
            InvalidInstanceError: unreadable, a variable that is not binary, or a quadratic objective.
            InfeasibleError: bounds of a variable that exclude each other.
        """
        model = read_file(path)
        assert model.costs is not None
        costs = model.cost_map.sign * model.costs
        plain = CostMap.of(model.rows.num_vars)
        minimised = replace(model, rows=_binary(model), cost_map=plain, costs=costs)
        return cls(cuts=cuts, model=minimised)


def _binary(model: PredictedModel) -> OpenProgram:
    """The rows of a 0-1 program on the whole unit box: a variable with one value gets an equality.

    Raises:
        InvalidInstanceError: another kind of program.
    """
    rows = model.rows
    outside = np.flatnonzero(~rows.integer | (rows.lower < 0) | (rows.upper > 1))
    if len(outside):
        raise InvalidInstanceError(
            f"Variable {rows.names.variables[outside[0]]} is not binary (integer between 0 and 1); use"
            " MixedIntegerProgram."
        )
    if rows.quadratic is not None:
        raise InvalidInstanceError("The objective has a quadratic term; use MixedIntegerProgram.")
    fixed = np.flatnonzero(rows.lower == rows.upper)
    chosen = sparse.eye_array(rows.num_vars, format="csr")[fixed]
    labels = tuple(f"value of {rows.names.variables[j]}" for j in fixed)
    return replace(
        rows,
        A=sparse.csr_array(sparse.vstack([rows.A, chosen], format="csr")),
        b=np.concatenate([rows.b, rows.lower[fixed]]),
        lower=np.zeros(rows.num_vars),
        upper=np.ones(rows.num_vars),
        names=replace(rows.names, equalities=rows.names.equalities + labels),
    )
