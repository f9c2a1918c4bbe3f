"""Shortest paths, and their compiled algorithms."""

from diffcomb.problems.paths.oracle import ShortestPathOracle
from diffcomb.problems.paths.shortest_path import ShortestPath

ShortestPath.oracles = (ShortestPathOracle(),)

__all__ = ["ShortestPath", "ShortestPathOracle"]
