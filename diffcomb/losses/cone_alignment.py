"""Cone-aligned vectors: push costs into the cone of those that make a decision optimal."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from diffcomb.errors import UnsupportedError
from diffcomb.layers import projector_of
from diffcomb.losses.loss import Loss
from diffcomb.problems import Problem, ProblemCache
from diffcomb.projection import RoutedProjector


class ConeAlignedLoss(Loss):
    """l(theta; z) = 1 - cos(-theta, p), p the projection of -theta on the normal cone N of X at z.

    Tang & Khalil 2024, arXiv:2312.07718 (CaVE). z is optimal for theta exactly when -theta lies in N, the
    cone of the constraints binding at z; then the loss is 0. With interior = 0 p is the projection
    itself (CaVE-Exact) and d l / d theta is exact though p is held constant. With interior > 0, p/||p|| +
    interior (2z - 1)/sqrt(n) aims inside the cone, as the paper's truncated projections (CaVE+) do:
    on its boundary z ties with a neighbour.

    N is polar to the tangent cone T, and z + s proj_T(v) = Proj_X(z + s v) for small s: one batched convex
    projection, of the solver that relaxed decisions use, replaces the non-negative least squares.
    Needs optimal decisions. Oracle calls: 0, one convex projection forward, 0 backward. Where X is larger
    than conv(Z) the cone is smaller than that of Z.

    Args:
        layer: gives the problem.
        interior: 0: boundary of the cone. Large: costs become 1 - 2z, the Hamming distance to z.
    """

    needs = ("decisions",)

    def __init__(self, layer: nn.Module, interior: float = 0.2) -> None:
        super().__init__(layer)
        if not interior >= 0:
            raise UnsupportedError(f"interior must not be negative, got {interior}.")
        self.interior = interior
        self._projectors: ProblemCache[RoutedProjector] = ProblemCache()

    def block_loss(self, problem: Problem, theta: Tensor, z_true: Tensor) -> Tensor:
        # an angle has no unit, squares of costs in a bad one overflow or vanish
        largest = theta.detach().abs().amax(-1, keepdim=True)
        v = -theta / torch.where(largest > 0, largest, 1.0)
        p = self.project(problem, v.detach().double(), z_true.double())
        aim = torch.nn.functional.normalize(p, dim=-1)
        aim = aim + self.interior * (2 * z_true.double() - 1) / z_true.shape[-1] ** 0.5
        return 1 - torch.cosine_similarity(v, aim.to(theta.dtype), dim=-1)

    def project(self, problem: Problem, v: Tensor, z: Tensor) -> Tensor:
        """The projection of v (batch, n) on the normal cone of X at z (batch, n), float64."""
        length = torch.linalg.vector_norm(v, dim=-1, keepdim=True)
        length = torch.where(length > 0, length, 1.0)
        step = _reach(problem, z) / length
        projector = self._projectors.get(problem, lambda: projector_of(problem))
        return v - (projector.project(z + step * v).x - z) / step


def _reach(problem: Problem, z: Tensor) -> Tensor:
    """(batch, 1): how far every direction from z stays clear of the rows that do not bind there."""
    polytope = problem.polytope()
    slack = polytope.h - (polytope.G @ z.cpu().numpy().T).T
    norms = np.sqrt(polytope.G.multiply(polytope.G).sum(1))
    distance = np.where(slack > 1e-9, slack / np.maximum(norms, 1e-300), np.inf).min(1, initial=1.0)
    # lazy rows (subtours, odd sets, cliques) that do not bind at 0-1 points are at least 1 / sqrt(n) away
    lazy = problem.num_costs**-0.5 if polytope.is_lazy else 1.0
    return torch.as_tensor(0.5 * np.minimum(distance, lazy), device=z.device)[:, None]
