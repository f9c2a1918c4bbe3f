"""Graph colouring: the cheapest with K colours, and the fewest colours."""

from diffcomb.problems.coloring.cheapest.cheapest import CheapestColoringOracle
from diffcomb.problems.coloring.cheapest.control import DsaturTabuCol
from diffcomb.problems.coloring.fewest.fewest import FewestColors, fewest_colors
from diffcomb.problems.coloring.graph import Graph
from diffcomb.problems.coloring.graph_coloring import GraphColoring

GraphColoring.oracles = (CheapestColoringOracle(), DsaturTabuCol())

__all__ = [
    "CheapestColoringOracle",
    "DsaturTabuCol",
    "FewestColors",
    "Graph",
    "GraphColoring",
    "fewest_colors",
]
