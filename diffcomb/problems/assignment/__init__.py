"""Assignments, and their Hungarian oracle."""

from diffcomb.problems.assignment.assignment import Assignment
from diffcomb.problems.assignment.hungarian import HungarianOracle

Assignment.oracles = (HungarianOracle(),)

__all__ = ["Assignment", "HungarianOracle"]
