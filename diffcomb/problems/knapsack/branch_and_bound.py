"""Dedicated knapsack oracle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diffcomb.oracles import Limits, OracleAnswer
from diffcomb.oracles.batch import solve_in_parts
from diffcomb.oracles.mip.highs import HIGHS
from diffcomb.problems.knapsack.knapsack import Knapsack
from diffcomb.problems.knapsack.search import search_knapsacks
from diffcomb.problems.problem import Problem

#: about a second of search; what is still open then goes to HiGHS
_NODE_LIMIT = 2_000_000


class KnapsackOracle:
    """Compiled depth-first branch and bound with a surrogate bound; HiGHS for what it leaves open.

    Proven to a relative 1e-13 of the value. Fast where few items fit (tens of items, a few rows);
    hundreds of items with tight correlated rows are HiGHS's.
    """

    name = "knapsack"

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, Knapsack)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, Knapsack)

        def search(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            found: tuple[np.ndarray, np.ndarray] = search_knapsacks(
                rows, problem.weights, problem.capacity, _NODE_LIMIT
            )
            return found

        parts = solve_in_parts(search, costs, options)
        answer = OracleAnswer.proven(np.concatenate([z for z, _ in parts]), costs)
        open_rows = np.flatnonzero(~np.concatenate([finished for _, finished in parts]))
        if not len(open_rows):
            return answer
        left = HIGHS.solve(problem, costs[open_rows], options)
        statuses = list(answer.statuses)
        answer.decisions[open_rows], answer.bounds[open_rows] = left.decisions, left.bounds
        for row, status in zip(open_rows, left.statuses, strict=True):
            statuses[row] = status
        return replace(answer, statuses=tuple(statuses))
