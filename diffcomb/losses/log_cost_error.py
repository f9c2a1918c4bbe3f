"""The two-stage loss for costs that span orders of magnitude."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.losses.batch import Batch, as_rows, mean_of
from diffcomb.problems import Problem


class LogCostMSELoss(nn.Module):
    """l(theta; c) = mean_i (log theta_i - log c_i)^2: relative errors, for positive costs.

    A few jammed links no longer outweigh all others, as they do in `CostMSELoss`. The price: it aims
    at the geometric mean of the costs, below their expectation.

    Args:
        layer: accepted so that all losses are built alike; not used.
    """

    needs = ("costs",)

    def __init__(self, layer: nn.Module | None = None) -> None:
        super().__init__()

    def forward(self, theta: Batch, costs: Batch, problems: list[Problem] | None = None) -> Tensor:
        """theta, costs (batch, n) positive, or lists of (n_i,) vectors -> scalar."""
        return mean_of(
            (t.log() - c.log()).square() for t, c in zip(as_rows(theta), as_rows(costs), strict=True)
        )
