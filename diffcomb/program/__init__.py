"""What is decided, as arrays: rows, bounds, integrality, and the map to the unit box."""

from diffcomb.program.program import Program
from diffcomb.program.rows import Rows, Separation
from diffcomb.program.unit_box import UnitBox

__all__ = ["Program", "Rows", "Separation", "UnitBox"]
