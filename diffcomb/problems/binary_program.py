"""Any 0-1 linear program, from arrays or from an MPS or LP file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb.data.mps import read_binary_model
from diffcomb.errors import InvalidInstanceError
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
        widths = {np.shape(M)[-1] for M in (A, G) if M is not None}
        if len(widths) != 1:
            raise InvalidInstanceError("Give A, G or both, with one column per variable.")
        self.num_costs = int(widths.pop())
        self._known = Program.from_arrays(A, b, G, h, num_vars=self.num_costs, integral=integral)
        self._conflicts = conflict_graph(self._known.G, self._known.h) if cuts else None

    @classmethod
    def from_mps(cls, path: str | Path, *, cuts: bool = False) -> BinaryProgram:
        """From an MPS or LP file (what HiGHS reads), or a `highspy.Highs` model; all variables binary.

        The objective becomes `costs`, negated if the file maximises; a constant term is dropped.

        Raises:
            InvalidInstanceError: unreadable, or a variable that is not binary.
        """
        model = read_binary_model(path)
        problem = cls(model.A, model.b, model.G, model.h, cuts=cuts)
        problem.costs = torch.from_numpy(model.costs)
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
