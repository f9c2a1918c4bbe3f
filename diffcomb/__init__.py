"""Differentiable combinatorial decisions: predict costs, decide exactly, train through the decision."""

import diffcomb.oracles  # noqa: F401  (registers the oracles that problem.solve looks up)
from diffcomb.layers import DecisionLayer
from diffcomb.losses import FenchelYoungLoss, RegretLoss, SmoothedSPOPlusLoss
from diffcomb.reformulation import exactness_threshold, optimal_value

__version__ = "0.1.0"

__all__ = [
    "DecisionLayer",
    "FenchelYoungLoss",
    "RegretLoss",
    "SmoothedSPOPlusLoss",
    "exactness_threshold",
    "optimal_value",
]
