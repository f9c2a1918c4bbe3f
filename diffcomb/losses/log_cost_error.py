"""The two-stage loss for costs that span orders of magnitude."""

from __future__ import annotations

from torch import Tensor

from diffcomb.errors import InvalidCostsError
from diffcomb.losses.cost_error import CostMSELoss


class LogCostMSELoss(CostMSELoss):
    """l(theta; c) = mean_i (log theta_i - log c_i)^2: relative errors, for positive costs.

    A few jammed links no longer outweigh all others, as they do in `CostMSELoss`. The price: it aims
    at the geometric mean of the costs, below their expectation.

    Args:
        layer: accepted so that all losses are built alike; not used.

    Raises:
        InvalidCostsError: a prediction or a cost that is not positive.
    """

    def block_loss(self, problem: None, theta: Tensor, costs: Tensor) -> Tensor:
        if not bool((theta > 0).all() & (costs > 0).all()):
            raise InvalidCostsError(
                "LogCostMSELoss needs positive predictions and costs; end the model in a softplus, or use"
                " CostMSELoss."
            )
        return (theta.log() - costs.log()).square()
