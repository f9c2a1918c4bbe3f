"""theta -> decision, as nn.Modules."""

from diffcomb.layers.decision_layer import DecisionLayer
from diffcomb.layers.engine import Decided, Engine, OracleSettings
from diffcomb.layers.parametric_layer import ParametricLayer
from diffcomb.layers.record import LayerRecord
from diffcomb.layers.rho import FixedRho, ShareController

__all__ = [
    "Decided",
    "DecisionLayer",
    "Engine",
    "FixedRho",
    "LayerRecord",
    "OracleSettings",
    "ParametricLayer",
    "ShareController",
]
