"""The travelling salesman's own exact oracle."""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.oracles.clock import Clock
from diffcomb.problems.problem import Problem
from diffcomb.problems.tours.cuts.cut_memory import CutMemory
from diffcomb.problems.tours.edges import complete_edges, complete_graph
from diffcomb.problems.tours.lp_search.large import Known, solve_large
from diffcomb.problems.tours.one_trees.small import solve_small
from diffcomb.problems.tours.outcome import Outcome
from diffcomb.problems.tours.scaling import ScaledCosts
from diffcomb.problems.tours.traveling_salesman import TravelingSalesman

#: up to here the compiled 1-tree search goes first
_SMALL = 60
#: 1-trees it may spend before the linear program takes over (about 0.04 s)
_BUDGET = 8_000
#: share of the time that the root bound of a larger instance may take
_ROOT_SHARE = 0.25
#: by how much forced edges are made cheaper at first; costs are scaled to magnitude 1
_FIRST_REWARD = 4.0


class BranchAndCut:
    """min theta'z over tours, proven.

    Up to 60 cities: Lin-Kernighan tour, Held-Karp bound and a compiled branch and bound on 1-trees.
    Beyond, or when that search grows: cutting planes (subtours, blossoms, combs, local cuts) on HiGHS's
    simplex with pricing, reduced-cost fixing, and branch and cut on edges and city sets.

    Costs may be negative and of any scale. Integer costs (to 10^6) are solved to the exact optimum; real ones
    until no tour is better by more than 1e-10 (1-trees) or 1e-9 (linear programs) times N times the
    largest deviation of a cost from their mean. Edges priced out of or into every tour do not count for
    that deviation as long as a tour can do without the former and with the latter. Instances of a batch
    run on threads.

    Args:
        memory: tight cuts of the solves before, for the next ones with as many cities: the proven value
            depends on the costs alone; which of several tours within the tolerance is returned may
            depend on what was solved before.
        small: cities up to which 1-trees go first. budget: 1-trees they may spend.
    """

    name = "branch_and_cut"

    def __init__(self, memory: CutMemory | None = None, small: int = _SMALL, budget: int = _BUDGET) -> None:
        self.memory = CutMemory() if memory is None else memory
        self.small, self.budget = small, budget

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, TravelingSalesman)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, TravelingSalesman)
        return solve_each(lambda theta: self._solve_one(problem, theta, options), costs, options)

    def _solve_one(self, problem: TravelingSalesman, theta: np.ndarray, options: Limits) -> Solved:
        clock = Clock.of(options)
        # values and extreme costs may be infinite in units of ordinary ones
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = ScaledCosts.of(theta, problem.num_cities)
            solved = self._with_rewards(problem, theta, scaled, clock, options)
            if solved is None:
                scaled = ScaledCosts.plain(theta, problem.num_cities)
                solved = self._with_rewards(problem, theta, scaled, clock, options)
        assert solved is not None
        return solved

    def _with_rewards(
        self,
        problem: TravelingSalesman,
        theta: np.ndarray,
        scaled: ScaledCosts,
        clock: Clock,
        options: Limits,
    ) -> Solved | None:
        """The optimal tour; fixed edges are rewarded until it has them all, extreme costs are lowered to the
        same reward. None where that settles nothing.

        With each fixed edge cheaper by K, tours that have all are cheaper by K |F| and no tour by more: if
        the optimum has them, it is the best of those. K beyond any difference of tours proves there is none.
        """
        n, fixed = problem.num_cities, problem.fixed_edges
        reward = _FIRST_REWARD if len(fixed) or scaled.extremes is not None else 0.0
        while True:
            cost, back = scaled.clipped(reward)
            cost[fixed] -= reward
            back += reward * len(fixed)
            outcome = self._best_tour(problem, cost, scaled, back, clock, options)
            z = np.zeros(problem.num_costs)
            z[outcome.edges] = 1.0
            bound = scaled.value(outcome.bound + back, n)
            complete = bool(z[fixed].all())
            settled = scaled.settled(z, reward)
            if (complete and settled) or not outcome.proven:
                break
            if reward > 2 * n:
                return None if complete else Solved(None, np.inf, Status.INFEASIBLE)
            reward *= 10
        if not complete:
            return Solved(None, bound, Status.UNKNOWN)
        value = float(theta @ z)
        if outcome.proven and scaled.proves:
            return Solved(z, value, Status.OPTIMAL)
        if outcome.proven:
            bound = value - scaled.scale * max(scaled.tolerance, n * 1e-9) * n
        return Solved(z, min(bound, value) if np.isfinite(bound) else -np.inf, Status.FEASIBLE)

    def _best_tour(
        self,
        problem: TravelingSalesman,
        cost: np.ndarray,
        scaled: ScaledCosts,
        back: float,
        clock: Clock,
        options: Limits,
    ) -> Outcome:
        """Over all tours, for scaled costs; `back` is added to what is shown."""
        n, smallest = problem.num_cities, scaled.tolerance
        outcome = Outcome(np.zeros(0, dtype=np.int64), -np.inf, False)
        if n <= self.small:
            outcome = solve_small(complete_edges(n, cost), smallest, clock, self.budget, options.seed)
        elif options.time_limit is not None:
            # the root alone (no search) still gives every time limit a bound
            root_clock = clock.part(_ROOT_SHARE)
            outcome = solve_small(complete_edges(n, cost), smallest, root_clock, 0, options.seed)
        if outcome.proven or clock.is_up():
            return outcome
        known = Known(cuts=self.memory.recall(n))
        if n <= self.small:
            known.tour = problem.order_of(outcome.edges)
        with tqdm(desc=f"{n} cities", unit="node", leave=False, disable=not options.progress) as bar:

            def watch(bound: float, upper: float) -> None:
                bound, upper = (scaled.value(value + back, n) for value in (bound, upper))
                bar.set_postfix_str(f"tour {upper:.6g}, bound {bound:.6g}", refresh=False)
                bar.update()

            known.watch = watch if options.progress else None
            tolerance = max(smallest, n * 1e-9)
            later = solve_large(n, *complete_graph(n), cost, tolerance, clock, options.seed, known)
        self.memory.remember(n, known.tight)
        return later.or_better(outcome, cost)
