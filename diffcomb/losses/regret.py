"""The true cost of the decision."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from diffcomb.layers import Costs
from diffcomb.losses.loss import Loss
from diffcomb.losses.scenarios import mean_cost
from diffcomb.problems import Problem


class RegretLoss(Loss):
    """l(theta; c) = c'z(theta), or another objective of the problem, z(theta) decided by the layer.

    It is the regret up to the constant V(c), so no optimal decision is needed. Where the objective is
    linear in the decision the gradient -(1/rho) Pi c is the same for decision="exact" and "relaxed", and
    only the reported number differs; train with "relaxed" to save the exact solves.

    Args:
        layer: a DecisionLayer, or any module with the same call.
    """

    needs = ("costs",)
    scenarios_are_rows = False

    def decide(self, problems: Sequence[Problem] | None, *given: Costs) -> tuple[Costs]:
        return (self.layer(given[0], problems),)

    def block_loss(self, problem: Problem | None, theta: Tensor, costs: Tensor, decision: Tensor) -> Tensor:
        return mean_cost(problem, decision, costs)
