"""Exact and heuristic graph colouring: the cheapest colouring, and the fewest colours."""

from diffcomb.oracles.coloring.cheapest import CheapestColoringOracle

__all__ = ["CheapestColoringOracle"]
