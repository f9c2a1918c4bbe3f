"""The travelling salesman's own exact oracle."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import numpy as np
from tqdm import tqdm

from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.problems.problem import Problem
from diffcomb.problems.tours.cuts.cut_memory import CutMemory
from diffcomb.problems.tours.cuts.cuts import Cut
from diffcomb.problems.tours.lp_search.large import solve_large
from diffcomb.problems.tours.one_trees.one_tree import adjacency
from diffcomb.problems.tours.one_trees.small import solve_small
from diffcomb.problems.tours.outcome import Outcome
from diffcomb.problems.tours.scaling import ScaledCosts
from diffcomb.problems.tours.traveling_salesman import TravelingSalesman

#: up to here the compiled 1-tree search goes first
_SMALL = 60
#: 1-trees it may spend before the linear program takes over (about 0.04 s)
_BUDGET = 8_000
#: by how much fixed edges are made cheaper at first; costs are scaled to magnitude 1
_FIRST_REWARD = 4.0
#: cuts from one solve to the next
_memory = CutMemory()


class BranchAndCut:
    """min theta'z over tours, proven.

    Up to 60 cities: Lin-Kernighan tour, Held-Karp bound and a compiled branch and bound on 1-trees.
    Beyond, or when that search grows: cutting planes (subtours, blossoms, combs, local cuts) on HiGHS's
    simplex with pricing, reduced-cost fixing, and branch and cut on edges and city sets.

    Costs may be negative and of any scale. Integer costs (to 10^6) are solved to the exact optimum; real ones
    until no tour is better by more than 1e-10 (1-trees) or 1e-9 (linear programs) times N times the
    largest deviation of a cost from their mean. Instances of a batch run on threads.
    Tight cuts are remembered per problem for its next solves: the proven value depends on the costs alone;
    which of several tours within the tolerance is returned may depend on what was solved before.
    """

    name = "branch_and_cut"

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, TravelingSalesman)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, TravelingSalesman)
        return solve_each(lambda theta: _solve_one(problem, theta, options), costs, options)


@lru_cache(maxsize=8)
def _complete_graph(num_cities: int) -> Any:
    """tails, heads, (start, near_city, near_edge) of K_N, edges in the order of the costs."""
    tails, heads = (ends.astype(np.int32) for ends in np.triu_indices(num_cities, k=1))
    return tails, heads, adjacency(num_cities, tails, heads)


def _solve_one(problem: TravelingSalesman, theta: np.ndarray, options: Limits) -> Solved:
    """The optimal tour; fixed edges are rewarded until it has them all.

    With each of them cheaper by K, tours that have all are cheaper by K |F| and no tour by more: if
    the optimum has them, it is the best of those. K beyond any difference of tours proves there is none.
    """
    deadline = np.inf if options.time_limit is None else time.perf_counter() + options.time_limit
    n, fixed, scaled = problem.num_cities, problem.fixed_edges, ScaledCosts.of(theta)
    reward = _FIRST_REWARD if len(fixed) else 0.0
    while True:
        cost = scaled.cost.copy()
        cost[fixed] -= reward
        outcome = _best_tour(problem, cost, scaled, len(fixed) * reward, deadline, options)
        z = np.zeros(problem.num_costs)
        z[outcome.edges] = 1.0
        bound = scaled.value(outcome.bound + reward * len(fixed), n)
        if z[fixed].all():
            break
        if not outcome.proven:
            return Solved(None, bound, Status.UNKNOWN)
        if reward > 2 * n:
            return Solved(None, np.inf, Status.INFEASIBLE)
        reward *= 10
    value = float(theta @ z)
    if outcome.proven:
        return Solved(z, value, Status.OPTIMAL)
    return Solved(z, min(bound, value), Status.FEASIBLE)


def _best_tour(
    problem: TravelingSalesman,
    cost: np.ndarray,
    scaled: ScaledCosts,
    reward: float,
    deadline: float,
    options: Limits,
) -> Outcome:
    """Over all tours, for scaled costs that make tours with all fixed edges cheaper by `reward`."""
    n, smallest = problem.num_cities, scaled.tolerance
    tails, heads, lists = _complete_graph(n)
    # the root alone (no search) still gives every time limit a bound
    budget = _BUDGET if n <= _SMALL else 0
    outcome = Outcome(np.zeros(0, dtype=np.int64), -np.inf, False)
    if n <= _SMALL or options.time_limit is not None:
        outcome = solve_small(tails, heads, lists, cost, smallest, deadline, budget, options.seed)
    if outcome.proven or time.perf_counter() >= deadline:
        return outcome
    known = None
    if n <= _SMALL:
        known = problem.order_of(outcome.edges)
    tight: list[Cut] = []
    with tqdm(desc=f"{n} cities", unit="node", leave=False, disable=not options.progress) as bar:

        def watch(bound: float, upper: float) -> None:
            bound, upper = (scaled.value(value + reward, n) for value in (bound, upper))
            bar.set_postfix_str(f"tour {upper:.6g}, bound {bound:.6g}", refresh=False)
            bar.update()

        later = solve_large(
            n, tails, heads, cost, max(smallest, n * 1e-9), deadline, options.seed, known,
            known_cuts=_memory.recall(problem), tight_cuts=tight, watch=watch if options.progress else None,
        )  # fmt: skip
    _memory.remember(problem, tight)
    return later.or_better(outcome, cost)
