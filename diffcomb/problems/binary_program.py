"""Any 0-1 linear program, from arrays or from an MPS or LP file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.data import MixedIntegerModel, read_model
from diffcomb.errors import InvalidInstanceError
from diffcomb.problems.own_arrays import real_numbers
from diffcomb.problems.problem import CostGraph, Problem
from diffcomb.program import Program, Rows
from diffcomb.program.cuts import conflict_graph, separate_cuts


class BinaryProgram(Problem):
    """min theta'z subject to A z = b, G z <= h, z in {0,1}^n.

    Program: the LP relaxation, in general an outer one, so x_rho approximates conv(Z) from outside;
    where the LP optimum is z* the layer certifies it. `cuts` tightens it with cover and clique cuts,
    found by heuristics while x_rho is computed.

    Args:
        A, b: equalities, dense or sparse (p, n) and (p,), or None.
        G, h: inequalities (q, n) and (q,), or None.
        integral: set True only if the LP relaxation is known to be conv(Z) (a totally unimodular
            matrix, say); certificates rely on it.
        cuts: tighten the relaxation.
    """

    default_oracle = "highs"
    #: of the variables, where they come from a file
    names: tuple[str, ...] | None = None

    def __init__(
        self,
        A: Any = None,
        b: Any = None,
        G: Any = None,
        h: Any = None,
        *,
        integral: bool = False,
        cuts: bool = False,
    ) -> None:
        A, b, G, h = (_own(values, name) for values, name in ((A, "A"), (b, "b"), (G, "G"), (h, "h")))
        matrices = [M for M in (A, G) if M is not None]
        widths = {M.shape[-1] if M.ndim in (1, 2) else -1 for M in matrices}
        if len(widths) != 1 or min(widths) < 1:
            raise InvalidInstanceError("Give A, G or both, with one column per variable.")
        self.num_costs = int(widths.pop())
        self._known = Program.from_arrays(A, b, G, h, num_vars=self.num_costs, integral=integral)
        self._conflicts = conflict_graph(self._known.G, self._known.h) if cuts else None

    @classmethod
    def from_mps(cls, path: str | Path, *, cuts: bool = False) -> BinaryProgram:
        """From an MPS or LP file, or a `highspy.Highs` model; all variables binary.

        The objective becomes `costs`, negated if the file maximises; a constant term is dropped. Bounds
        that leave one value (x <= 0.5) become an equality. Columns keep their `names`.

        Raises:
            InvalidInstanceError: unreadable, a variable that is not binary, or a quadratic objective.
            InfeasibleError: bounds of a variable that exclude each other.
        """
        model = read_model(path)
        fixed = _fixed(model)
        rows = sparse.eye_array(len(model.names), format="csr")[fixed]
        problem = cls(
            sparse.vstack([model.A, rows], format="csr"),
            np.concatenate([model.b, model.lower[fixed]]),
            model.G,
            model.h,
            cuts=cuts,
        )
        problem.costs = torch.from_numpy(model.costs if model.sense == "min" else -model.costs)
        problem.names = model.names
        return problem

    def is_feasible(self, z: Tensor) -> Tensor:
        flat = z.detach().reshape(-1, self.num_costs).double().cpu().numpy()
        chosen = (flat > 0.5).astype(np.float64)
        tolerance = 1e-9
        binary = np.abs(flat - chosen).max(axis=1, initial=0.0) <= 1e-6
        equal = np.abs(chosen @ self._known.A.T - self._known.b) <= tolerance * (1 + np.abs(self._known.b))
        below = chosen @ self._known.G.T <= self._known.h + tolerance * (1 + np.abs(self._known.h))
        feasible = binary & equal.all(axis=1) & below.all(axis=1)
        return torch.from_numpy(feasible).reshape(z.shape[:-1]).to(z.device)

    def polytope(self) -> Program:
        known = self._known
        if self._conflicts is None:
            return known
        return Program(known.A, known.b, known.G, known.h, known.integral, self._separate)

    def lazy_rows(self, z: np.ndarray) -> Rows:
        """The known rows decide which 0-1 points are in Z."""
        return Rows.empty(self.num_costs)

    def _separate(self, x: np.ndarray) -> Rows:
        assert self._conflicts is not None
        return separate_cuts(self._known.G, self._known.h, self._conflicts, x)

    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Standard normal."""
        return torch.randn(batch, self.num_costs, generator=generator, dtype=dtype)

    def cost_graph(self) -> CostGraph:
        variables = torch.arange(self.num_costs)
        return CostGraph(torch.stack([variables, variables]), self.num_costs)


def _own(values: Any, name: str) -> Any:
    """Dense arrays as float64; Program copies sparse ones."""
    return values if values is None or sparse.issparse(values) else real_numbers(values, name)


def _fixed(model: MixedIntegerModel) -> np.ndarray:
    """Variables of a 0-1 program that have one value only; refuses any other program."""
    outside = np.flatnonzero(~model.integer | (model.lower < 0) | (model.upper > 1))
    if len(outside):
        raise InvalidInstanceError(
            f"Variable {model.names[outside[0]]} is not binary (integer between 0 and 1); only 0-1 programs"
            " are supported."
        )
    if model.Q is not None:
        i, j = (int(index[0]) for index in model.Q.nonzero())
        raise InvalidInstanceError(
            f"The objective has a quadratic term in {model.names[i]} and {model.names[j]}; only linear ones"
            " are supported."
        )
    return np.flatnonzero(model.lower == model.upper)
