"""Exact and heuristic graph colouring: the cheapest colouring, and the fewest colours."""

from diffcomb.oracles.coloring.cheapest import CheapestColoringOracle
from diffcomb.oracles.coloring.control import DsaturTabuCol, dsatur_tabucol
from diffcomb.oracles.coloring.fewest import fewest_colors

__all__ = ["CheapestColoringOracle", "DsaturTabuCol", "dsatur_tabucol", "fewest_colors"]
