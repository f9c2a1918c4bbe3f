"""What is decided, as arrays: rows, bounds, integrality, and the map to the unit box."""

from diffcomb.program.cost_map import CostMap
from diffcomb.program.names import Names
from diffcomb.program.open_program import OpenProgram
from diffcomb.program.parameters import Parameters, RowValues
from diffcomb.program.predicted_model import PredictedModel
from diffcomb.program.program import Program
from diffcomb.program.rows import Rows, Separation
from diffcomb.program.unit_box import UnitBox

__all__ = [
    "CostMap",
    "Names",
    "OpenProgram",
    "Parameters",
    "PredictedModel",
    "Program",
    "RowValues",
    "Rows",
    "Separation",
    "UnitBox",
]
