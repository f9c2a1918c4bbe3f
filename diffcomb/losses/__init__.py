"""Training losses over a layer."""

from diffcomb.losses.cost_error import CostMSELoss
from diffcomb.losses.fenchel_young import FenchelYoungLoss
from diffcomb.losses.imitation import ImitationLoss
from diffcomb.losses.optimal_value import OptimalValueLoss
from diffcomb.losses.perturbation_gradient import PerturbationGradientLoss
from diffcomb.losses.perturbed_fenchel_young import PerturbedFenchelYoungLoss
from diffcomb.losses.planned_start import PlannedStartLoss, executed_starts, planned_start_cost
from diffcomb.losses.regret import RegretLoss
from diffcomb.losses.smoothed_spo_plus import SmoothedSPOPlusLoss
from diffcomb.losses.spo_plus import SPOPlusLoss

__all__ = [
    "CostMSELoss",
    "FenchelYoungLoss",
    "ImitationLoss",
    "OptimalValueLoss",
    "PerturbationGradientLoss",
    "PerturbedFenchelYoungLoss",
    "PlannedStartLoss",
    "RegretLoss",
    "SPOPlusLoss",
    "SmoothedSPOPlusLoss",
    "executed_starts",
    "planned_start_cost",
]
