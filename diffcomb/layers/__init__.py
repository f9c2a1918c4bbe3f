"""theta -> decision, as nn.Modules."""

from diffcomb.layers.adjoint import Adjoint, attach_adjoint
from diffcomb.layers.concave_penalty import ConcaveDecision, concave_penalty
from diffcomb.layers.decider import Decided, Decider
from diffcomb.layers.decision_layer import DecisionLayer
from diffcomb.layers.exact_decisions import exact_decisions, refuse_start_times
from diffcomb.layers.full_precision import FullPrecision
from diffcomb.layers.grouping import Block, Costs, Grouping, as_rows, form_of, group
from diffcomb.layers.optimal_value import optimal_value
from diffcomb.layers.parametric_layer import ParametricLayer
from diffcomb.layers.perturbation import Perturbation, SeededNoise, cost_scale, length, matching_step
from diffcomb.layers.projectors import projector_of
from diffcomb.layers.record import LayerRecord
from diffcomb.layers.rho import FixedRho, ShareController
from diffcomb.layers.settings import LayerSettings
from diffcomb.layers.threshold import Threshold, exactness_threshold, is_exact

__all__ = [
    "Adjoint",
    "Block",
    "ConcaveDecision",
    "Costs",
    "Decided",
    "Decider",
    "DecisionLayer",
    "FixedRho",
    "FullPrecision",
    "Grouping",
    "LayerRecord",
    "LayerSettings",
    "ParametricLayer",
    "Perturbation",
    "SeededNoise",
    "ShareController",
    "Threshold",
    "as_rows",
    "attach_adjoint",
    "concave_penalty",
    "cost_scale",
    "exact_decisions",
    "exactness_threshold",
    "form_of",
    "group",
    "is_exact",
    "length",
    "matching_step",
    "optimal_value",
    "projector_of",
    "refuse_start_times",
]
