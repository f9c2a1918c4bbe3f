"""Branch and cut for the symmetric travelling salesman, in pieces."""

from diffcomb.oracles.tsp.branch_and_cut import BranchAndCut

__all__ = ["BranchAndCut"]
