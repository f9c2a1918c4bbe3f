"""What replaces the layer in a comparison: same call, other gradient."""

from diffcomb.relaxations.convex.lpgd import LPGD
from diffcomb.relaxations.convex.mipaal import MIPaaL
from diffcomb.relaxations.convex.quadratic import QPTL, SparseMAP
from diffcomb.relaxations.estimators.adaptive_imle import AdaptiveIMLE
from diffcomb.relaxations.estimators.black_box import BlackBoxDifferentiation
from diffcomb.relaxations.estimators.finite_differences import FiniteDifferences
from diffcomb.relaxations.estimators.imle import IMLE
from diffcomb.relaxations.estimators.negative_identity import NegativeIdentity
from diffcomb.relaxations.estimators.perturbed_optimizer import PerturbedOptimizer
from diffcomb.relaxations.estimators.straight_through import StraightThrough
from diffcomb.relaxations.exact_decision import ExactDecision
from diffcomb.relaxations.soft.birkhoff.birkhoff import Birkhoff
from diffcomb.relaxations.soft.birkhoff.birkhoff_extension import birkhoff_extension
from diffcomb.relaxations.soft.dimes import DIMES
from diffcomb.relaxations.soft.gumbel_sinkhorn import GumbelSinkhorn
from diffcomb.relaxations.soft.gumbel_softmax import GumbelSoftmax
from diffcomb.relaxations.soft.sinkhorn import sinkhorn
from diffcomb.relaxations.two_stage import TwoStage

__all__ = [
    "DIMES",
    "IMLE",
    "LPGD",
    "QPTL",
    "AdaptiveIMLE",
    "Birkhoff",
    "BlackBoxDifferentiation",
    "ExactDecision",
    "FiniteDifferences",
    "GumbelSinkhorn",
    "GumbelSoftmax",
    "MIPaaL",
    "NegativeIdentity",
    "PerturbedOptimizer",
    "SparseMAP",
    "StraightThrough",
    "TwoStage",
    "birkhoff_extension",
    "sinkhorn",
]
