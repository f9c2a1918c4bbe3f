"""Tours: the problem, its exact branch and cut, and a heuristic to compare with."""

from diffcomb.problems.tours.branch_and_cut import BranchAndCut
from diffcomb.problems.tours.heuristics.two_opt import NearestNeighborTwoOpt
from diffcomb.problems.tours.traveling_salesman import TravelingSalesman

TravelingSalesman.oracles = (BranchAndCut(), NearestNeighborTwoOpt())

__all__ = ["BranchAndCut", "NearestNeighborTwoOpt", "TravelingSalesman"]
