"""What replaces the layer in a comparison: same call, other gradient."""

from diffcomb.relaxations.adaptive_imle import AdaptiveIMLE
from diffcomb.relaxations.birkhoff import Birkhoff
from diffcomb.relaxations.birkhoff_extension import birkhoff_extension
from diffcomb.relaxations.black_box import BlackBoxDifferentiation
from diffcomb.relaxations.dimes import DIMES
from diffcomb.relaxations.exact_decision import ExactDecision
from diffcomb.relaxations.finite_differences import FiniteDifferences
from diffcomb.relaxations.gumbel_sinkhorn import GumbelSinkhorn
from diffcomb.relaxations.gumbel_softmax import GumbelSoftmax
from diffcomb.relaxations.imle import IMLE
from diffcomb.relaxations.lpgd import LPGD
from diffcomb.relaxations.mipaal import MIPaaL
from diffcomb.relaxations.negative_identity import NegativeIdentity
from diffcomb.relaxations.perturbed_optimizer import PerturbedOptimizer
from diffcomb.relaxations.quadratic import QPTL, SparseMAP
from diffcomb.relaxations.sinkhorn import sinkhorn
from diffcomb.relaxations.straight_through import StraightThrough
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
