"""Road networks with congestion: user equilibrium, and what differentiates it."""

from diffcomb.problems.roads.assignment import Equilibrium, assign
from diffcomb.problems.roads.equilibrium_face import EquilibriumFace, equilibrium_face, path_sums
from diffcomb.problems.roads.network import RoadNetwork
from diffcomb.problems.roads.refine import refine

__all__ = [
    "Equilibrium",
    "EquilibriumFace",
    "RoadNetwork",
    "assign",
    "equilibrium_face",
    "path_sums",
    "refine",
]
