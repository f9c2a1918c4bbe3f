"""Costs as targets: the one place that knows the centre, rho and the signs.

The penalty is R(x) = 1/2 (x - c)'W (x - c) + const with c the centre of the box and W = diag(1 / width^2);
on 0-1 vectors R(x) = 1/2 sum x (x - 1): 0 on {0,1}^n, >= -n/8. Minimising theta'x + rho R(x) is a projection,

    x_rho(theta) = argmin over X of theta'x + (rho/2) (x - c)'W (x - c) = Proj_X(c - W^-1 theta / rho),

and so is every other decision with a quadratic term, with another centre.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from diffcomb.errors import InvalidCostsError
from diffcomb.program import UnitBox
from diffcomb.projection.projector import Projector


@dataclass(frozen=True)
class RelaxedDecision:
    """x = argmin over X of theta'x + (rho/2) (x - center)'W (x - center), and how to differentiate it.

    Attributes:
        x: (batch, n) float64.
        rho: (batch,) the penalty weight used.
        kkt_residual, face_dimension, active_rows, iterations, route: as of `Projection`.
        adjoint: g (batch, n) -> (dx / d theta)'g = -(1/rho) W^-1/2 P W^-1/2 g, P the orthogonal
            projector on the direction space of the minimal face. Symmetric, so it is the JVP as well.
    """

    x: Tensor
    rho: Tensor
    kkt_residual: Tensor
    face_dimension: Tensor
    active_rows: Tensor
    iterations: Tensor
    adjoint: Callable[[Tensor], Tensor]
    route: str


def proximal(
    projector: Projector,
    theta: Tensor,
    rho: Tensor,
    center: Tensor | float,
    **known: Any,
) -> RelaxedDecision:
    """argmin over X of theta'x + (rho/2) (x - center)'W (x - center).

    Args:
        theta: (batch, n) float64. rho: (batch,) float64, positive.
        center: (batch, n), or a number in unit coordinates: 0.5 is the centre of the box, 0 its lower corner.
        known: `start` or `rhs`, see `Projector.project` and `RoutedProjector.project`.
    """
    box, weight = projector.box, rho.detach()[:, None]
    step = theta.detach() / weight
    # one pass without a temporary; a sum may overflow where every entry is finite
    if not isfinite(step.sum().item()) and not bool(torch.isfinite(step).all()):
        raise InvalidCostsError("Costs divided by rho overflow; divide the costs by a common factor.")
    if box.is_identity:
        found = projector.project(center - step, **known)
        scale = -1.0 / weight

        def adjoint(grad: Tensor) -> Tensor:
            return found.pull_back(grad.detach()).mul_(scale)

    else:
        lower, width = (torch.from_numpy(v).to(theta) for v in (box.lower, box.width))
        middle = lower + center * width if isinstance(center, float) else center
        found = projector.project(middle - step * width**2, **known)
        scale = -(width**2) / weight

        def adjoint(grad: Tensor) -> Tensor:
            return found.pull_back(grad.detach()).mul_(scale)

    return RelaxedDecision(
        x=found.x,
        rho=rho,
        kkt_residual=found.residual,
        face_dimension=found.face_dimension,
        active_rows=found.active_rows,
        iterations=found.iterations,
        adjoint=adjoint,
        route=found.route,
    )


def relaxed_decision(projector: Projector, theta: Tensor, rho: Tensor, **known: Any) -> RelaxedDecision:
    """x_rho(theta), theta (batch, n) and rho (batch,) float64; known: `start` or `rhs`."""
    return proximal(projector, theta, rho, 0.5, **known)


def penalty(x: Tensor, box: UnitBox | None = None) -> Tensor:
    """R(x), (..., n) -> (...): 1/2 sum y (y - 1) in unit coordinates y."""
    if box is not None and not box.is_identity:
        lower, inverse = (torch.from_numpy(v).to(x) for v in (box.lower, box.inverse_width))
        x = (x - lower) * inverse
    return 0.5 * (x * (x - 1.0)).sum(-1)


def relaxed_objective(x: Tensor, theta: Tensor, rho: Tensor, box: UnitBox | None = None) -> Tensor:
    """theta'x + rho R(x), with rho (...) one number per instance."""
    return (theta * x).sum(-1) + rho * penalty(x, box)


def slope_at(theta: Tensor, rho: Tensor, x: Tensor, box: UnitBox) -> Tensor:
    """The gradient theta + rho W (x - c) of theta'x + rho R(x) at x, (batch, n)."""
    if box.is_identity:
        return theta + rho[:, None] * (x - 0.5)
    center, inverse = (torch.from_numpy(v).to(x) for v in (box.center, box.inverse_width))
    return theta + rho[:, None] * (x - center) * inverse**2


def weighted_distance(z: Tensor, x: Tensor, box: UnitBox) -> Tensor:
    """(c - x)'W (z - x), (batch,): half the Hamming distance where both are 0-1 vectors."""
    if box.is_identity:
        return ((0.5 - x) * (z - x)).sum(-1)
    center, inverse = (torch.from_numpy(v).to(x) for v in (box.center, box.inverse_width))
    return ((center - x) * inverse**2 * (z - x)).sum(-1)


def unconstrained_adjoint(grad: Tensor, rho: Tensor | float) -> Tensor:
    """-g/rho: the adjoint of stationarity alone, in unit coordinates.

    Differentiating grad_x (theta'x + rho R(x)) = theta + rho (x - 1/2) = 0 gives dx/dtheta = -I/rho,
    whatever the feasible set: right for X = R^n only. It is the estimator -g of Sahoo et al. 2023
    (arXiv:2205.15213) up to the factor; the exact adjoint is -(1/rho) P g, P the projector on the
    minimal face. The part of -g/rho outside that face moves theta without moving x_rho.

    Args:
        grad: (batch, n). rho: (batch,) or a number, positive.
    """
    return -grad / (rho[:, None] if isinstance(rho, Tensor) and rho.ndim else rho)
