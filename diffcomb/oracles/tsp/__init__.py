"""Branch and cut for the symmetric travelling salesman, in pieces."""

from diffcomb.oracles.tsp.branch_and_cut import BranchAndCut
from diffcomb.oracles.tsp.two_opt import NearestNeighborTwoOpt

__all__ = ["BranchAndCut", "NearestNeighborTwoOpt"]
