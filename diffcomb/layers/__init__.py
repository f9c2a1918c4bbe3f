"""theta -> decision, as nn.Modules."""

from diffcomb.layers.adjoint import Adjoint, attach_adjoint
from diffcomb.layers.decision_layer import DecisionLayer
from diffcomb.layers.engine import Decided, Engine, OracleSettings
from diffcomb.layers.exact_decisions import exact_decisions, members_by_problem, refuse_start_times
from diffcomb.layers.parametric_layer import ParametricLayer
from diffcomb.layers.perturbation import Perturbation, SeededNoise, cost_scale, matching_step
from diffcomb.layers.record import LayerRecord
from diffcomb.layers.rho import FixedRho, ShareController
from diffcomb.layers.traffic_layer import TrafficLayer

__all__ = [
    "Adjoint",
    "Decided",
    "DecisionLayer",
    "Engine",
    "FixedRho",
    "LayerRecord",
    "OracleSettings",
    "ParametricLayer",
    "Perturbation",
    "SeededNoise",
    "ShareController",
    "TrafficLayer",
    "attach_adjoint",
    "cost_scale",
    "exact_decisions",
    "matching_step",
    "members_by_problem",
    "refuse_start_times",
]
