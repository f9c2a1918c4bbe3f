"""The convex program that relaxations with a quadratic term share."""

from __future__ import annotations

from torch import Tensor

from diffcomb.projection import ConvexSolver, RelaxedDecision


def proximal(
    solver: ConvexSolver, theta: Tensor, rho: Tensor, center: Tensor | float = 0.0
) -> RelaxedDecision:
    """argmin over X of theta'x + (rho/2) ||x - center||^2, theta (batch, n), rho (batch,).

    The solvers' own penalty is (rho/2) ||x - 1/2||^2: the same but for a shift of the costs.
    """
    return solver.solve(theta - rho[:, None] * (center - 0.5), rho)
