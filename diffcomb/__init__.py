"""Differentiable combinatorial decisions: predict costs, decide exactly, train through the decision."""

from diffcomb.fitting import DecisionRegressor, regret
from diffcomb.layers import DecisionLayer, exactness_threshold, optimal_value
from diffcomb.losses import FenchelYoungLoss, RegretLoss, SmoothedSPOPlusLoss

__version__ = "0.1.0"

__all__ = [
    "DecisionLayer",
    "DecisionRegressor",
    "FenchelYoungLoss",
    "RegretLoss",
    "SmoothedSPOPlusLoss",
    "exactness_threshold",
    "optimal_value",
    "regret",
]
