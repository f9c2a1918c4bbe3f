"""WHAT is decided: one file a problem, over `Problem`, `Polytope` and `OracleResult`."""

from diffcomb.problems.assignment import Assignment
from diffcomb.problems.binary_program import BinaryProgram
from diffcomb.problems.execution import executed_starts, planned_start_cost
from diffcomb.problems.family import ProblemFamily
from diffcomb.problems.graph import Graph
from diffcomb.problems.graph_coloring import FewestColors, GraphColoring, register_fewest_colors
from diffcomb.problems.job_shop import JobShop
from diffcomb.problems.knapsack import Knapsack
from diffcomb.problems.matching import Matching
from diffcomb.problems.min_cost_flow import MinCostFlow
from diffcomb.problems.oracle import (
    Oracle,
    OracleAnswer,
    SolveOptions,
    find_oracle,
    oracle_names,
    register_oracle,
)
from diffcomb.problems.polytope import Polytope, Rows
from diffcomb.problems.problem import CostGraph, Problem
from diffcomb.problems.result import OracleResult, Status
from diffcomb.problems.set_cover import SetCover
from diffcomb.problems.shortest_path import ShortestPath
from diffcomb.problems.timing import Timing
from diffcomb.problems.traveling_salesman import TravelingSalesman

__all__ = [
    "Assignment",
    "BinaryProgram",
    "CostGraph",
    "FewestColors",
    "Graph",
    "GraphColoring",
    "JobShop",
    "Knapsack",
    "Matching",
    "MinCostFlow",
    "Oracle",
    "OracleAnswer",
    "OracleResult",
    "Polytope",
    "Problem",
    "ProblemFamily",
    "Rows",
    "SetCover",
    "ShortestPath",
    "SolveOptions",
    "Status",
    "Timing",
    "TravelingSalesman",
    "executed_starts",
    "find_oracle",
    "oracle_names",
    "planned_start_cost",
    "register_fewest_colors",
    "register_oracle",
]
