"""The two-stage loss."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.losses.loss import Loss


class CostMSELoss(Loss):
    """l(theta; c) = mean_i (theta_i - c_i)^2: predict the costs, forget the decision.

    Optimal for a linear objective when the model can express E[c | features]; blind to which
    errors change decisions when it cannot. Averaged over all costs of the batch; problems play no part.

    Args:
        layer: accepted so that all losses are built alike; not used.
    """

    needs = ("costs",)

    def __init__(self, layer: nn.Module | None = None) -> None:
        super().__init__()

    def block_loss(self, problem: None, theta: Tensor, costs: Tensor) -> Tensor:
        return (theta - costs).square()
