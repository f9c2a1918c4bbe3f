"""The convex program that relaxations with a quadratic term share."""

from __future__ import annotations

import torch
from torch import Tensor

from diffcomb.errors import InvalidCostsError
from diffcomb.layers import Adjoint
from diffcomb.projection import ConvexSolver


def proximal(
    solver: ConvexSolver, theta: Tensor, rho: Tensor, center: Tensor | float = 0.0
) -> tuple[Tensor, Adjoint]:
    """argmin over X of theta'x + (rho/2) ||x - center||^2, and its adjoint in theta.

    It is the projection of center - theta/rho on X. The solvers' own penalty is (rho/2) ||x - 1/2||^2,
    the same but for a shift; in units of rho neither theta nor the shift can overflow.

    Args:
        theta: (batch, n). rho: (batch,). center: (batch, n), or a number.

    Raises:
        InvalidCostsError: theta that overflowed where it was moved.
    """
    target = center - theta / rho[:, None]
    if not bool(torch.isfinite(target).all()):
        raise InvalidCostsError("The costs are too large to be moved; divide them by a common factor.")
    relaxed = solver.solve(0.5 - target, torch.ones_like(rho))
    return relaxed.x, lambda grad: relaxed.adjoint(grad) / rho[:, None]
