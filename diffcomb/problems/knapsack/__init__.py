"""Knapsacks, and their branch and bound."""

from diffcomb.problems.knapsack.branch_and_bound import KnapsackOracle
from diffcomb.problems.knapsack.knapsack import Knapsack

Knapsack.oracles = (KnapsackOracle(),)

__all__ = ["Knapsack", "KnapsackOracle"]
