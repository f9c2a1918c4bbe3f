"""Dedicated knapsack oracle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import joined, solve_in_parts
from diffcomb.oracles.clock import Clock
from diffcomb.oracles.mip.highs import HIGHS
from diffcomb.problems.knapsack.knapsack import Knapsack
from diffcomb.problems.knapsack.search import Search, search_knapsacks
from diffcomb.problems.knapsack.surrogate import lagrangian_bound
from diffcomb.problems.problem import Problem

#: about a second of search; what is still open then goes to HiGHS
_NODE_LIMIT = 2_000_000
#: items looked at between two looks at the clock
_ITEMS = 20_000_000


class KnapsackOracle:
    """Compiled depth-first branch and bound with a surrogate bound; HiGHS for what it leaves open.

    Proven to 1e-13 of the sum of the ordinary values, which larger ones do not hide; no sack is overfull.
    Fast where few items fit (tens of items, a few rows); hundreds of items with tight correlated rows are
    HiGHS's.
    """

    name = "knapsack"

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, Knapsack)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, Knapsack)
        return joined(solve_in_parts(lambda rows: _solve_rows(problem, rows, options), costs, options))


def _solve_rows(problem: Knapsack, costs: np.ndarray, options: Limits) -> OracleAnswer:
    """One worker's part of a batch."""
    z, unproven = _search(problem, costs, options)
    answer = OracleAnswer.proven(z, costs)
    return _with_highs(problem, answer, costs, unproven, options) if unproven else answer


def _search(problem: Knapsack, costs: np.ndarray, options: Limits) -> tuple[np.ndarray, dict[int, float]]:
    """The best sacks found for costs (batch, n); rows that are not proven, with the seconds they took."""
    units, z = problem.units, np.zeros(costs.shape)
    search = Search.empty(*units.weights.shape)
    budget = _ITEMS // (10 + sum(units.weights.shape))
    unproven: dict[int, float] = {}
    row, clock = 0, Clock.of(options)
    while row < len(costs):
        before = row
        row = search_knapsacks(costs, units, search, z, row, budget, _NODE_LIMIT)
        limit_met = row < 0
        row = -1 - row if limit_met else row
        if row != before:
            clock = Clock.of(options)
        if row < len(costs) and (clock.is_up() or limit_met):
            unproven[row] = clock.spent
            search.drop()
            row += 1
            clock = Clock.of(options)
    return z, unproven


def _with_highs(
    problem: Knapsack, answer: OracleAnswer, costs: np.ndarray, unproven: dict[int, float], options: Limits
) -> OracleAnswer:
    """Unproven rows again, by HiGHS in the time left: the better sack and the higher bound of the two."""
    rows = list(unproven)
    left = None if options.time_limit is None else options.time_limit - max(unproven.values())
    later = None
    if left is None or left > 0.0:
        alone = replace(options, time_limit=left, num_workers=1, progress=False)
        later = HIGHS.solve(problem, costs[rows], alone)
    decisions, bounds, statuses = answer.decisions, answer.bounds, list(answer.statuses)
    for k, row in enumerate(rows):
        bounds[row] = -lagrangian_bound(-costs[row], problem.units.relative)
        statuses[row] = Status.FEASIBLE
        if later is not None:
            if costs[row] @ later.decisions[k] < costs[row] @ decisions[row]:
                decisions[row] = later.decisions[k]
            bounds[row] = max(bounds[row], later.bounds[k])
            if later.statuses[k] is Status.OPTIMAL:
                statuses[row] = Status.OPTIMAL
    return replace(answer, statuses=tuple(statuses))
