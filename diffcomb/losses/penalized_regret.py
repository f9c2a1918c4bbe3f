"""The true cost of a soft decision that may leave the constraints."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from diffcomb.problems import Problem


class PenalizedRegretLoss(nn.Module):
    """l(theta; c) = c'x + penalty mean|c| violation(x), averaged over the batch.

    For relaxations whose soft decision x is not in conv(Z): without the second term the cheapest soft
    decision decides nothing.

    Args:
        layer: a module with the call of a layer and a method violation(x) -> (batch,), 0 on Z.
        penalty: small: soft decisions that buy cost with infeasibility; large: feasibility drowns cost.
    """

    needs = ("costs",)

    def __init__(self, layer: nn.Module, penalty: float = 1.0) -> None:
        super().__init__()
        self.layer: Any = layer
        self.penalty = penalty

    def forward(self, theta: Tensor, costs: Tensor, problems: list[Problem] | None = None) -> Tensor:
        """theta, costs (batch, n) -> scalar."""
        x = self.layer(theta, problems)
        scale = costs.abs().mean(-1)
        loss: Tensor = (costs * x).sum(-1) + self.penalty * scale * self.layer.violation(x)
        return loss.mean()
