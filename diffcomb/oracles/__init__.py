"""WHO decides: exact discrete solvers, registered by name when this package is imported."""

from diffcomb.oracles.coloring import CheapestColoringOracle, DsaturTabuCol, fewest_colors
from diffcomb.oracles.cplex import CPLEX
from diffcomb.oracles.cpsat import CPSAT
from diffcomb.oracles.gurobi import GUROBI
from diffcomb.oracles.highs import HIGHS
from diffcomb.oracles.hungarian import HungarianOracle
from diffcomb.oracles.jobshop import DispatchingRules, JobShopOracle, PriorityPolicy, common_unit
from diffcomb.oracles.knapsack import KnapsackOracle
from diffcomb.oracles.mip import MipOracle
from diffcomb.oracles.scip import SCIP
from diffcomb.oracles.shortest_path import ShortestPathOracle
from diffcomb.oracles.tsp import BranchAndCut, NearestNeighborTwoOpt
from diffcomb.problems import register_fewest_colors, register_oracle

for _oracle in (
    HIGHS,
    CPSAT,
    SCIP,
    GUROBI,
    CPLEX,
    ShortestPathOracle(),
    HungarianOracle(),
    KnapsackOracle(),
    BranchAndCut(),
    CheapestColoringOracle(),
    JobShopOracle(),
    NearestNeighborTwoOpt(),
    DsaturTabuCol(),
    DispatchingRules(),
    PriorityPolicy(),
):
    register_oracle(_oracle)
register_fewest_colors(fewest_colors)

__all__ = [
    "CPLEX",
    "CPSAT",
    "GUROBI",
    "HIGHS",
    "SCIP",
    "BranchAndCut",
    "CheapestColoringOracle",
    "DispatchingRules",
    "DsaturTabuCol",
    "HungarianOracle",
    "JobShopOracle",
    "KnapsackOracle",
    "MipOracle",
    "NearestNeighborTwoOpt",
    "PriorityPolicy",
    "ShortestPathOracle",
    "common_unit",
]
