"""The travelling salesman's own exact oracle."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.oracles.tsp.large import solve_large
from diffcomb.oracles.tsp.one_tree import adjacency
from diffcomb.oracles.tsp.outcome import Outcome
from diffcomb.oracles.tsp.scaling import ScaledCosts
from diffcomb.oracles.tsp.small import solve_small
from diffcomb.problems import OracleAnswer, Problem, SolveOptions, Status, TravelingSalesman

#: up to here the compiled 1-tree search goes first
_SMALL = 60
#: 1-trees it may spend before the linear program takes over (about 0.1 s)
_BUDGET = 20_000


class BranchAndCut:
    """min theta'z over tours, proven.

    Up to 60 cities: Lin-Kernighan tour, Held-Karp bound and a compiled branch and bound on 1-trees.
    Beyond, or when that search grows: cutting planes (subtours, blossoms, combs) on HiGHS's simplex
    with pricing, reduced-cost fixing, and branch and cut.

    Costs may be negative and of any scale. Integer costs (to 10^6) are solved to the exact optimum; real ones
    until no tour is better by more than 1e-10 (1-trees) or 1e-9 (linear programs) times N times the
    largest deviation of a cost from their mean. Instances of a batch run on threads; an answer
    depends on its costs and the seed alone.
    """

    name = "branch_and_cut"

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, TravelingSalesman)

    def solve(self, problem: Problem, costs: np.ndarray, options: SolveOptions) -> OracleAnswer:
        assert isinstance(problem, TravelingSalesman)
        return solve_each(lambda theta: _solve_one(problem, theta, options), costs, options)


@lru_cache(maxsize=8)
def _complete_graph(num_cities: int) -> Any:
    """tails, heads, (start, near_city, near_edge) of K_N, edges in the order of the costs."""
    tails, heads = (ends.astype(np.int32) for ends in np.triu_indices(num_cities, k=1))
    return tails, heads, adjacency(num_cities, tails, heads)


def _solve_one(problem: TravelingSalesman, theta: np.ndarray, options: SolveOptions) -> Solved:
    deadline = np.inf if options.time_limit is None else time.perf_counter() + options.time_limit
    scaled = ScaledCosts.of(theta)
    n = problem.num_cities
    tails, heads, lists = _complete_graph(n)
    # the root alone (no search) still gives every time limit a bound
    budget = _BUDGET if n <= _SMALL else 0
    outcome = Outcome(np.zeros(0, dtype=np.int64), -np.inf, False)
    if n <= _SMALL or options.time_limit is not None:
        outcome = solve_small(
            tails, heads, lists, scaled.cost, scaled.tolerance, deadline, budget, options.seed
        )
    if not outcome.proven and time.perf_counter() < deadline:
        tolerance = max(scaled.tolerance, n * 1e-9)
        known = None
        if n <= _SMALL:
            z = np.zeros(problem.num_costs)
            z[outcome.edges] = 1.0
            known = problem.tour(torch.from_numpy(z)).numpy()
        later = solve_large(n, tails, heads, scaled.cost, tolerance, deadline, options.seed, known)
        outcome = later.or_better(outcome, scaled.cost)
    z = np.zeros(problem.num_costs)
    z[outcome.edges] = 1.0
    value = float(theta @ z)
    if outcome.proven:
        return Solved(z, value, Status.OPTIMAL)
    return Solved(z, min(scaled.value(outcome.bound, n), value), Status.FEASIBLE)
