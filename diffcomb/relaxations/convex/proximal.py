"""Decisions near a point: a quadratic term centred there takes the place of the layer's own."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from diffcomb.problems import Problem
from diffcomb.projection import RelaxedDecision, RoutedProjector, proximal


def proximal_decision(
    problem: Problem,
    projector: RoutedProjector,
    theta: Tensor,
    rho: Tensor,
    center: Tensor | float = 0.0,
) -> RelaxedDecision:
    """argmin over X of c'x + (rho/2) ||x - center||^2 in unit coordinates, c the costs of theta.

    Args:
        theta: (batch, P) float64. rho: (batch,), positive.
        center: (batch, n), or a number in unit coordinates.
    """
    found = proximal(projector, problem.costs_of(theta), rho, center)
    cost_map = problem.cost_map
    if cost_map is None:
        return found
    return replace(found, adjoint=lambda grad: cost_map.pull(found.adjoint(grad)))
