"""Training losses over a layer."""

from diffcomb.losses.cone_alignment import ConeAlignedLoss
from diffcomb.losses.contrastive import CMAPLoss, NCELoss
from diffcomb.losses.cost_error import CostMSELoss
from diffcomb.losses.fenchel_young import FenchelYoungLoss
from diffcomb.losses.imitation import ImitationLoss
from diffcomb.losses.learned_landscape import LearnedLandscapeLoss
from diffcomb.losses.log_cost_error import LogCostMSELoss
from diffcomb.losses.optimal_value import OptimalValueLoss
from diffcomb.losses.penalized_regret import PenalizedRegretLoss
from diffcomb.losses.perturbation_gradient import PerturbationGradientLoss
from diffcomb.losses.perturbed_fenchel_young import PerturbedFenchelYoungLoss
from diffcomb.losses.perturbed_spo_plus import PerturbedSPOPlusLoss
from diffcomb.losses.planned_start import PlannedStartLoss
from diffcomb.losses.ranking import ListwiseRankingLoss, PairwiseRankingLoss, PointwiseRankingLoss
from diffcomb.losses.regret import RegretLoss
from diffcomb.losses.score_function import ScoreFunctionLoss
from diffcomb.losses.smoothed_spo_plus import SmoothedSPOPlusLoss
from diffcomb.losses.solution_pool import SolutionPool
from diffcomb.losses.spo_plus import SPOPlusLoss
from diffcomb.losses.staged import StagedLoss

__all__ = [
    "CMAPLoss",
    "ConeAlignedLoss",
    "CostMSELoss",
    "FenchelYoungLoss",
    "ImitationLoss",
    "LearnedLandscapeLoss",
    "ListwiseRankingLoss",
    "LogCostMSELoss",
    "NCELoss",
    "OptimalValueLoss",
    "PairwiseRankingLoss",
    "PenalizedRegretLoss",
    "PerturbationGradientLoss",
    "PerturbedFenchelYoungLoss",
    "PerturbedSPOPlusLoss",
    "PlannedStartLoss",
    "PointwiseRankingLoss",
    "RegretLoss",
    "SPOPlusLoss",
    "ScoreFunctionLoss",
    "SmoothedSPOPlusLoss",
    "SolutionPool",
    "StagedLoss",
]
