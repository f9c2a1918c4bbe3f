"""Cutting planes until the linear program is integral, then its KKT system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Adjoint, cost_scale
from diffcomb.oracles import Limits, Oracle
from diffcomb.oracles.linear_program import LinearProgram
from diffcomb.problems import Problem, ProblemCache
from diffcomb.program import Rows
from diffcomb.projection import RoutedProjector
from diffcomb.projection.row_pool import RowPool
from diffcomb.relaxations.convex.proximal import proximal_decision
from diffcomb.relaxations.exact_decision import ExactDecision


class MIPaaL(ExactDecision):
    """Forward z*(theta) by cutting planes, backward the Jacobian of argmin theta'x + gamma ||x||^2 over the
    linear program with the cuts that made it integral.

    Ferber et al., AAAI 2020, arXiv:1907.05912. Per instance: solve the LP, separate, add the cuts, repeat
    until nothing is violated. An integral vertex is z*; where a fractional one is left (the problem
    knows no more cuts) the oracle decides. Cuts are shared by all instances and kept. Oracle calls: 0
    forward where the cuts suffice, else 1, plus several LPs; 0 backward, one convex solve. Biased: the
    exact Jacobian of the regularised LP, not of z*.

    Args:
        gamma: in units of mean|theta|, as in QPTL.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        gamma: float = 0.5,
        *,
        oracle: str | Oracle | Limits = "auto",
    ) -> None:
        super().__init__(problem, oracle=oracle)
        if not gamma > 0:
            raise UnsupportedError(f"gamma must be positive, got {gamma}.")
        self.gamma = gamma
        self._programs: ProblemCache[_CutProgram] = ProblemCache()

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        program = self._programs.get(problem, lambda: _CutProgram(problem))
        z = program.vertices(theta)
        fractional = ~problem.is_feasible(z)
        if bool(fractional.any()):
            z[fractional] = self.solve(problem, theta[fractional])
        rho = 2 * self.gamma * cost_scale(theta)[:, 0]
        return z, proximal_decision(problem, program.convex_solver(), theta, rho).adjoint


class _CutProgram:
    """The LP of one problem, the cuts found for it so far, and the convex solver over both."""

    def __init__(self, problem: Problem) -> None:
        self._polytope = problem.polytope()
        self._cuts = RowPool(self._polytope.num_vars)
        lazy = self._polytope.is_lazy
        self._lp = LinearProgram(replace(self._polytope, separation=self._separate if lazy else None))
        self._solver: RoutedProjector | None = None
        self._rows_of_solver = 0

    def _separate(self, x: np.ndarray) -> Rows:
        found = self._polytope.separate(x)
        self._cuts.add(found)
        return found

    def vertices(self, theta: Tensor) -> Tensor:
        """Optimal vertices (batch, n) for theta (batch, n), after all violated cuts."""
        found = [self._lp.minimize(cost) for cost in theta.cpu().numpy()]
        return torch.from_numpy(np.stack(found)).to(theta.device)

    def convex_solver(self) -> RoutedProjector:
        """Over the rows and cuts so far; rebuilt when there are new ones."""
        if self._solver is None or self._rows_of_solver != len(self._cuts):
            known = self._polytope.without_lazy_rows()
            self._solver = RoutedProjector(known.with_rows(self._cuts.rows))
            self._rows_of_solver = len(self._cuts)
        return self._solver
