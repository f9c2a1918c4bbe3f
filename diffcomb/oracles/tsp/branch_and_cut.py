"""The travelling salesman's own exact oracle."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import numpy as np

from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.oracles.tsp.held_karp import FINISHED, OVERFLOW, search
from diffcomb.oracles.tsp.one_tree import FORBIDDEN, adjacency
from diffcomb.oracles.tsp.root import root_bound
from diffcomb.oracles.tsp.scaling import ScaledCosts
from diffcomb.problems import OracleAnswer, Problem, SolveOptions, Status, TravelingSalesman

#: 1-trees between two looks at the clock
_CHUNK = 2000


class BranchAndCut:
    """min theta'z over tours, proven: Lin-Kernighan, Held-Karp bound, branch and bound.

    Costs may be negative and of any scale. Integer costs are solved to the exact optimum; real ones
    until no tour is better by more than 1e-10 times the largest deviation of a cost from their mean.
    Instances of a batch run on threads; an answer depends on its costs and the seed alone.
    """

    name = "branch_and_cut"

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, TravelingSalesman)

    def solve(self, problem: Problem, costs: np.ndarray, options: SolveOptions) -> OracleAnswer:
        assert isinstance(problem, TravelingSalesman)
        return solve_each(lambda theta: _solve_one(problem, theta, options), costs, options)


@lru_cache(maxsize=8)
def _complete_graph(num_cities: int) -> Any:
    """tails, heads, start, near_city, near_edge of K_N, edges in the order of the costs."""
    tails, heads = (ends.astype(np.int32) for ends in np.triu_indices(num_cities, k=1))
    return tails, heads, adjacency(num_cities, tails, heads)


def _solve_one(problem: TravelingSalesman, theta: np.ndarray, options: SolveOptions) -> Solved:
    deadline = np.inf if options.time_limit is None else time.perf_counter() + options.time_limit
    n = problem.num_cities
    scaled = ScaledCosts.of(theta)
    tails, heads, complete = _complete_graph(n)
    kicks, iterations = min(n // 2, 40), min(60 + 2 * n, 300)
    tour, upper, bound, pi, state = root_bound(
        tails, heads, complete, scaled.cost, scaled.tolerance, kicks, iterations, options.seed
    )
    z = problem.decision_of(tour)
    if bound >= upper - scaled.tolerance:
        return Solved(z, float(theta @ z), Status.OPTIMAL)
    kept = np.flatnonzero(state != FORBIDDEN)
    tails, heads, cost = tails[kept], heads[kept], scaled.cost[kept]
    lists: Any = adjacency(n, tails, heads)
    capacity = len(kept) + 2
    states, potentials, bounds = (
        np.empty((capacity, len(kept)), dtype=np.int8),
        np.empty((capacity, n)),
        np.empty(capacity),
    )
    states[0], potentials[0], bounds[0] = state[kept], pi, bound
    best, outcome, top, root_upper = np.zeros(len(kept), dtype=np.bool_), -1, 1, upper
    while outcome != FINISHED and time.perf_counter() < deadline:
        outcome, top, upper, _ = search(
            lists, tails, heads, cost, scaled.tolerance, states, potentials, bounds, top, upper, best, _CHUNK
        )
        assert outcome != OVERFLOW
    if upper < root_upper:
        z = np.zeros(problem.num_costs)
        z[kept[best]] = 1.0
    value = float(theta @ z)
    if outcome == FINISHED:
        return Solved(z, value, Status.OPTIMAL)
    bound = scaled.value(float(bounds[:top].min(initial=upper)), n)
    return Solved(z, min(bound, value), Status.FEASIBLE)
