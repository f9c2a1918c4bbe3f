"""Training losses over a layer."""

from diffcomb.losses.fenchel_young import FenchelYoungLoss
from diffcomb.losses.regret import RegretLoss
from diffcomb.losses.smoothed_spo_plus import SmoothedSPOPlusLoss

__all__ = ["FenchelYoungLoss", "RegretLoss", "SmoothedSPOPlusLoss"]
