"""Training losses over a layer."""

from diffcomb.losses.cost_error import CostMSELoss
from diffcomb.losses.fenchel_young import FenchelYoungLoss
from diffcomb.losses.optimal_value import OptimalValueLoss
from diffcomb.losses.regret import RegretLoss
from diffcomb.losses.smoothed_spo_plus import SmoothedSPOPlusLoss

__all__ = ["CostMSELoss", "FenchelYoungLoss", "OptimalValueLoss", "RegretLoss", "SmoothedSPOPlusLoss"]
