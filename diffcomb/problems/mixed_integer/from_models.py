"""Mixed-integer programs from models that users have already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from diffcomb.front_ends import read_cvxpy, read_file, read_gurobi, read_mathopt, read_pulp, read_pyomo
from diffcomb.program import PredictedModel


class FromModels:
    """Constructors of a problem that is made of a `PredictedModel` by `_of`."""

    @classmethod
    def _of(cls, model: PredictedModel) -> Self:
        raise NotImplementedError

    @classmethod
    def from_cvxpy(cls, problem: Any, parameters: Any) -> Self:
        """From a `cvxpy.Problem` that follows its rules (DCP, DPP); see `read_cvxpy`.

        theta holds the entries of `parameters`, one after another, each row by row. They may stand in
        costs and in rows. `by_name` has the problem's variables in their shapes.
        """
        return cls._of(read_cvxpy(problem, parameters))

    @classmethod
    def from_mps(cls, path: Any, predicted: str | Sequence[str] | None = None) -> Self:
        """From an MPS or LP file, or a `highspy.Highs` model; `sense` and constant are the file's.

        Args:
            path: what to read.
            predicted: names, or patterns with * and ?, of the variables whose costs are predicted, in the
                order of theta; None: all of them. The file's values of these costs are `costs`.
        """
        return cls._of(read_file(path, predicted))

    @classmethod
    def from_gurobi(cls, model: Any, costs: Any = None) -> Self:
        """From a `gurobipy.Model`; `costs`: the variables whose costs are predicted; see `read_gurobi`."""
        return cls._of(read_gurobi(model, costs))

    @classmethod
    def from_pyomo(cls, model: Any, costs: Any = None) -> Self:
        """From a concrete Pyomo model; `costs`: the variables whose costs are predicted; see `read_pyomo`."""
        return cls._of(read_pyomo(model, costs))

    @classmethod
    def from_pulp(cls, model: Any, costs: Any = None) -> Self:
        """From a `pulp.LpProblem`; `costs`: the variables whose costs are predicted; see `read_pulp`."""
        return cls._of(read_pulp(model, costs))

    @classmethod
    def from_mathopt(cls, model: Any, costs: Any = None) -> Self:
        """From an OR-Tools `mathopt.Model`; `costs`: the variables whose costs are predicted."""
        return cls._of(read_mathopt(model, costs))
