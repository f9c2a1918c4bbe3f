"""What replaces the layer in a comparison: same call, other gradient."""

from diffcomb.relaxations.adaptive_imle import AdaptiveIMLE
from diffcomb.relaxations.black_box import BlackBoxDifferentiation
from diffcomb.relaxations.exact_decision import ExactDecision
from diffcomb.relaxations.finite_differences import FiniteDifferences
from diffcomb.relaxations.imle import IMLE
from diffcomb.relaxations.lpgd import LPGD
from diffcomb.relaxations.mipaal import MIPaaL
from diffcomb.relaxations.negative_identity import NegativeIdentity
from diffcomb.relaxations.perturbed_optimizer import PerturbedOptimizer
from diffcomb.relaxations.quadratic import QPTL, SparseMAP
from diffcomb.relaxations.straight_through import StraightThrough
from diffcomb.relaxations.two_stage import TwoStage

__all__ = [
    "IMLE",
    "LPGD",
    "QPTL",
    "AdaptiveIMLE",
    "BlackBoxDifferentiation",
    "ExactDecision",
    "FiniteDifferences",
    "MIPaaL",
    "NegativeIdentity",
    "PerturbedOptimizer",
    "SparseMAP",
    "StraightThrough",
    "TwoStage",
]
