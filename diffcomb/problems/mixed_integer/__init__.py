"""Any mixed-integer program, and its 0-1 case."""

from diffcomb.problems.mixed_integer.binary_program import BinaryProgram
from diffcomb.problems.mixed_integer.mixed_integer import MixedIntegerProgram

__all__ = ["BinaryProgram", "MixedIntegerProgram"]
