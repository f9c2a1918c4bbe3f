"""The two-stage loss."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.losses.batch import Batch, as_rows, mean_of
from diffcomb.problems import Problem


class CostMSELoss(nn.Module):
    """l(theta; c) = mean_i (theta_i - c_i)^2: predict the costs, forget the decision.

    Optimal for a linear objective when the model can express E[c | features]; blind to which
    errors change decisions when it cannot.

    Args:
        layer: accepted so that all losses are built alike; not used.
    """

    needs = ("costs",)

    def __init__(self, layer: nn.Module | None = None) -> None:
        super().__init__()

    def forward(self, theta: Batch, costs: Batch, problems: list[Problem] | None = None) -> Tensor:
        """theta, costs (batch, n), or lists of (n_i,) vectors -> scalar; problems play no part."""
        return mean_of((t - c).square() for t, c in zip(as_rows(theta), as_rows(costs), strict=True))
