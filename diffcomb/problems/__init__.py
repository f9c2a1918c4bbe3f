"""WHAT is decided: a file a problem, a folder where it brings its own algorithms."""

from diffcomb.problems.assignment import Assignment
from diffcomb.problems.black_box import BlackBox
from diffcomb.problems.coloring import FewestColors, Graph, GraphColoring
from diffcomb.problems.every_oracle import every_oracle_name
from diffcomb.problems.family import ProblemFamily
from diffcomb.problems.job_shop import JobShop, Timing, executed_starts, planned_start_cost
from diffcomb.problems.knapsack import Knapsack
from diffcomb.problems.matching import Matching
from diffcomb.problems.min_cost_flow import MinCostFlow
from diffcomb.problems.mixed_integer import BinaryProgram, MixedIntegerProgram
from diffcomb.problems.paths import ShortestPath
from diffcomb.problems.problem import CostGraph, Problem, Remainder
from diffcomb.problems.problem_cache import ProblemCache
from diffcomb.problems.set_cover import SetCover
from diffcomb.problems.tours import TravelingSalesman

__all__ = [
    "Assignment",
    "BinaryProgram",
    "BlackBox",
    "CostGraph",
    "FewestColors",
    "Graph",
    "GraphColoring",
    "JobShop",
    "Knapsack",
    "Matching",
    "MinCostFlow",
    "MixedIntegerProgram",
    "Problem",
    "ProblemCache",
    "ProblemFamily",
    "Remainder",
    "SetCover",
    "ShortestPath",
    "Timing",
    "TravelingSalesman",
    "every_oracle_name",
    "executed_starts",
    "planned_start_cost",
]
