"""The true cost of the decision."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.layers import DecisionLayer
from diffcomb.losses.batch import Batch, as_rows, mean_of
from diffcomb.problems import Problem


class RegretLoss(nn.Module):
    """l(theta; c) = c'z(theta) through the layer, averaged over the batch.

    It is the regret up to the constant V(c), so no optimal decision is needed. Linear in the
    decision: its gradient -(1/rho) Pi c is the same for decision="exact" and "relaxed", and only the
    reported number differs; train with "relaxed" to save the exact solves.

    Args:
        layer: a DecisionLayer, or any module with the same call.
    """

    needs = ("costs",)

    def __init__(self, layer: DecisionLayer) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, theta: Batch, costs: Batch, problems: list[Problem] | None = None) -> Tensor:
        """theta, costs (batch, n), or lists of (n_i,) vectors -> scalar."""
        z = self.layer(theta, problems)
        return mean_of((c * decision).sum(-1) for c, decision in zip(as_rows(costs), as_rows(z), strict=True))
