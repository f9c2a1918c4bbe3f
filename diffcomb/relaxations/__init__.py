"""What replaces the layer in a comparison: same call, other gradient."""

from diffcomb.relaxations.adaptive_imle import AdaptiveIMLE
from diffcomb.relaxations.black_box import BlackBoxDifferentiation
from diffcomb.relaxations.exact_decision import ExactDecision
from diffcomb.relaxations.imle import IMLE
from diffcomb.relaxations.negative_identity import NegativeIdentity
from diffcomb.relaxations.perturbed_optimizer import PerturbedOptimizer
from diffcomb.relaxations.two_stage import TwoStage

__all__ = [
    "IMLE",
    "AdaptiveIMLE",
    "BlackBoxDifferentiation",
    "ExactDecision",
    "NegativeIdentity",
    "PerturbedOptimizer",
    "TwoStage",
]
