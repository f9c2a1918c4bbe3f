"""The Fenchel-Young loss of x_rho."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from diffcomb.layers import Costs
from diffcomb.losses.loss import Loss
from diffcomb.problems import Problem
from diffcomb.projection import penalty


class FenchelYoungLoss(Loss):
    """l(theta; z) = theta'z + rho R(z) - min over X of (theta'x + rho R(x)), averaged over the batch.

    Convex in theta, >= 0, gradient z - x_rho(theta) (Blondel, Martins & Niculae 2020). Zero exactly
    when z is optimal with rho <= rho_bar: a structured margin. Needs optimal decisions, no costs and
    no exact solve; the forward solve gives the gradient.

    Args:
        layer: gives the problem, the convex solver and rho.
    """

    needs = ("decisions",)

    def decide(self, problems: Sequence[Problem] | None, *given: Costs) -> tuple[Costs, Costs]:
        x, rho = self.layer.relax(given[0], problems)
        return x, rho

    def block_loss(self, problem: Problem, theta: Tensor, z_true: Tensor, x: Tensor, rho: Tensor) -> Tensor:
        return excess(problem, theta, z_true, x, rho)


def excess(problem: Problem, theta: Tensor, z: Tensor, x: Tensor, rho: Tensor) -> Tensor:
    """By how much z (rows, n) exceeds x in theta'x + rho R(x), theta'x the problem's objective -> (rows,)."""
    linear = problem.cost_of(z, theta) - problem.cost_of(x, theta)
    box = problem.unit_box
    return linear + rho * (penalty(z, box) - penalty(x, box))
