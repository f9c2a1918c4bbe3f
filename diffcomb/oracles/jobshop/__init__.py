"""Job shops: dispatching, local search and CP-SAT intervals; a learned policy and plain rules beside them."""

from diffcomb.oracles.jobshop.grid import common_unit
from diffcomb.oracles.jobshop.oracle import JobShopOracle
from diffcomb.oracles.jobshop.policy import PriorityPolicy
from diffcomb.oracles.jobshop.rules import DispatchingRules

__all__ = ["DispatchingRules", "JobShopOracle", "PriorityPolicy", "common_unit"]
