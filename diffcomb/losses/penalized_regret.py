"""The true cost of a soft decision that may leave the constraints."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.losses.regret import RegretLoss
from diffcomb.losses.scenarios import mean_cost
from diffcomb.problems import Problem


class PenalizedRegretLoss(RegretLoss):
    """l(theta; c) = c'x + penalty mean|c| violation(x), c'x the problem's objective.

    For relaxations whose soft decision x is not in conv(Z): without the second term the cheapest soft
    decision decides nothing.

    Args:
        layer: a module with the call of a layer and a method violation(x, problem) -> (batch,), 0 on Z.
        penalty: small: soft decisions that buy cost with infeasibility; large: feasibility drowns cost.
    """

    def __init__(self, layer: nn.Module, penalty: float = 1.0) -> None:
        super().__init__(layer)
        self.penalty = penalty

    def block_loss(self, problem: Problem | None, theta: Tensor, costs: Tensor, decision: Tensor) -> Tensor:
        scale = costs.abs().flatten(1).mean(-1)
        violation: Tensor = self.layer.violation(decision, problem)
        return mean_cost(problem, decision, costs) + self.penalty * scale * violation
