"""Job shops: start times, their exact search, and heuristics to compare with."""

from diffcomb.problems.job_shop.execution import executed_starts, planned_start_cost
from diffcomb.problems.job_shop.heuristics.policy import PriorityPolicy
from diffcomb.problems.job_shop.heuristics.rules import DispatchingRules
from diffcomb.problems.job_shop.job_shop import JobShop
from diffcomb.problems.job_shop.search.grid import common_unit
from diffcomb.problems.job_shop.search.oracle import JobShopOracle
from diffcomb.problems.job_shop.timing import Timing

JobShop.oracles = (JobShopOracle(), DispatchingRules(), PriorityPolicy())

__all__ = [
    "DispatchingRules",
    "JobShop",
    "JobShopOracle",
    "PriorityPolicy",
    "Timing",
    "common_unit",
    "executed_starts",
    "planned_start_cost",
]
