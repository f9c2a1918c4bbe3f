"""Road networks with congestion: user equilibrium, and what differentiates it."""

from diffcomb.traffic.assignment import Equilibrium, assign
from diffcomb.traffic.equilibrium_face import EquilibriumFace, equilibrium_face, path_sums
from diffcomb.traffic.network import RoadNetwork
from diffcomb.traffic.refine import refine
from diffcomb.traffic.traffic_layer import TrafficLayer

__all__ = [
    "Equilibrium",
    "EquilibriumFace",
    "RoadNetwork",
    "TrafficLayer",
    "assign",
    "equilibrium_face",
    "path_sums",
    "refine",
]
