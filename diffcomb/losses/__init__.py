"""Training losses over a layer."""

from diffcomb.losses.cone_alignment import ConeAlignedLoss
from diffcomb.losses.cost_error import CostMSELoss
from diffcomb.losses.fenchel_young.fenchel_young import FenchelYoungLoss
from diffcomb.losses.fenchel_young.perturbed_fenchel_young import PerturbedFenchelYoungLoss
from diffcomb.losses.fenchel_young.perturbed_spo_plus import PerturbedSPOPlusLoss
from diffcomb.losses.fenchel_young.smoothed_spo_plus import SmoothedSPOPlusLoss
from diffcomb.losses.fenchel_young.spo_plus import SPOPlusLoss
from diffcomb.losses.learned_landscape import LearnedLandscapeLoss
from diffcomb.losses.log_cost_error import LogCostMSELoss
from diffcomb.losses.loss import Loss
from diffcomb.losses.optimal_value import OptimalValueLoss
from diffcomb.losses.penalized_regret import PenalizedRegretLoss
from diffcomb.losses.perturbation_gradient import PerturbationGradientLoss
from diffcomb.losses.pool.contrastive import CMAPLoss, NCELoss
from diffcomb.losses.pool.ranking import ListwiseRankingLoss, PairwiseRankingLoss, PointwiseRankingLoss
from diffcomb.losses.pool.solution_pool import SolutionPool
from diffcomb.losses.regret import RegretLoss
from diffcomb.losses.schedules.imitation import ImitationLoss
from diffcomb.losses.schedules.planned_start import PlannedStartLoss
from diffcomb.losses.score_function import ScoreFunctionLoss
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
    "Loss",
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
