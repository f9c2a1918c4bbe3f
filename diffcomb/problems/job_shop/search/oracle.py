"""The job-shop oracle: dispatching, tabu search, CP-SAT intervals, and the choice among tied optima."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from diffcomb.errors import SolveFailedError
from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.problems.job_shop.job_shop import JobShop
from diffcomb.problems.job_shop.search.grid import Grid, common_grid, fine_grid, perturbed_grid
from diffcomb.problems.job_shop.search.model import ScheduleModel
from diffcomb.problems.job_shop.search.start import compile_searches, lower_bound, start_schedule
from diffcomb.problems.job_shop.timing import sequence_of
from diffcomb.problems.problem import Problem

#: deterministic effort for the choice among optima, in CP-SAT's units (about seconds), per model solved
_TIE_EFFORT = 30.0
#: operations whose starts are minimised together, with weights 2^-k: sums on the grid stay below 2^60
_BLOCK = 24
#: due dates so far away that float64 keeps fewer digits of all durations together prove nothing
_DIGITS = 2.0**-20


class JobShopOracle:
    """Exact job shops, one worker an instance.

    1. Dispatching and a compiled local search (tabu for the makespan, annealing for sums over jobs)
       give a schedule; a machine's or a job's load may already prove it.
    2. CP-SAT improves and proves it.
    3. Among the optima the first operations start as early as possible, then the next, ...
       (`JobShop.ties`): a small CP-SAT model for 24 of them.

    What is proven: sequences are optimal on an integer grid. Whole or decimal durations lie on it, and
    the proof is exact. Real ones are rounded to 2^-29 of their sum, so the value is optimal to n times
    that. Start times are then recomputed from the sequence in float64 at the durations as given.
    Weights that are no multiples of a unit are rounded too; where that loses one beside a far larger one,
    or float64 loses the durations beside the due dates, the status says feasible, not optimal.
    On a time limit the best schedule comes back with its bound. The limit does not count compiling, which
    the first solve in a fresh checkout waits for.
    """

    name = "jobshop"

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, JobShop)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, JobShop)
        compile_searches(problem.criterion)
        return solve_each(lambda p: _Run(problem, p, options).solve(), costs, options)


@dataclass
class _Found:
    starts: np.ndarray
    objective: int
    bound: float
    proven: bool


class _Run:
    """One instance under one deadline."""

    def __init__(self, problem: JobShop, p: np.ndarray, options: Limits) -> None:
        self.problem, self.p, self.seed = problem, p, options.seed
        self.limit = options.time_limit
        self.deadline = None if self.limit is None else time.perf_counter() + self.limit

    def solve(self) -> Solved:
        problem, p = self.problem, self.p
        exact = common_grid(problem, p)
        perturb = problem.ties == "perturb"
        grid = exact or fine_grid(problem, p, noise=perturb)
        found = self._optimize(grid)
        proven = found.proven and self._is_told_apart(grid)
        status = Status.OPTIMAL if proven else Status.FEASIBLE
        unique = None
        starts, at = found.starts, grid
        if problem.ties != "any":
            unique = proven
            if unique and perturb and exact is not None:
                at = perturbed_grid(problem, p, exact)
                again = self._optimize(at, hint=found)
                unique = again.proven
                if unique:  # the noise is too small to turn a worse schedule into a better one
                    found, starts = again, again.starts
                else:
                    at = grid
            if unique:
                starts, unique = self._choose(at, starts, found.objective)
        decision = self._start_times(starts, at)
        bound = grid.value(found.bound) - self._rounding(grid, decision)
        return Solved(decision, bound, status, unique)

    # -- stages -----------------------------------------------------------------------------------
    def _optimize(self, grid: Grid, hint: _Found | None = None) -> _Found:
        problem = self.problem
        share = 0.5 * self._left() if self.deadline is not None and problem.num_costs >= 150 else None
        known = sequence_of(hint.starts, grid.durations) if hint is not None else None
        starts, objective = start_schedule(problem, grid, self.seed, share, known)
        bound = lower_bound(problem, grid)
        if objective <= bound:
            return _Found(starts, objective, float(objective), True)
        if self._left() <= 0:
            return _Found(starts, objective, float(bound), False)
        horizon = int(grid.durations.sum())
        if problem.criterion == "makespan":
            horizon = objective
        elif problem.criterion == "earliness_tardiness":
            horizon += int(grid.due_dates.max())
        model = ScheduleModel(problem, grid, horizon, self.seed)
        model.hint(starts)
        if problem.criterion != "makespan":  # the linear relaxation proves much faster under a cutoff
            model.at_most(model.objective, objective)
        outcome = model.minimize(model.objective, self._seconds(), None if hint is None else _TIE_EFFORT)
        if outcome.starts is not None and outcome.objective <= objective:
            starts, objective = outcome.starts, round(outcome.objective)
        proven = outcome.status is Status.OPTIMAL
        return _Found(starts, objective, max(float(bound), outcome.bound), proven)

    def _choose(self, grid: Grid, starts: np.ndarray, objective: int) -> tuple[np.ndarray, bool]:
        """The optimum whose operations start earliest, in the order of their numbers; is it proven?

        Within a block the starts carry weights 2^-k: two different start vectors are sums of different
        sets of durations, so their weighted sums agree on a null set of durations only.
        """
        problem = self.problem
        horizon = int(grid.durations.sum()) + int(grid.due_dates.max())
        if problem.criterion == "makespan":
            horizon = objective
        model = ScheduleModel(problem, grid, horizon, self.seed)
        model.at_most(model.objective, objective)
        for low in range(0, problem.num_costs, _BLOCK):
            block = range(low, min(low + _BLOCK, problem.num_costs))
            if self._left() <= 0:
                return starts, False
            weights = [2 ** (len(block) - 1 - k) for k in range(len(block))]
            weighted = sum(w * model.starts[i] for w, i in zip(weights, block, strict=True))
            model.hint(starts)
            outcome = model.minimize(weighted, self._seconds(), _TIE_EFFORT)
            if outcome.starts is not None:
                starts = outcome.starts
            if outcome.status is not Status.OPTIMAL:
                return starts, False
            for i in block:
                model.fix(i, int(starts[i]))
        return starts, True

    def _start_times(self, starts: np.ndarray, grid: Grid) -> np.ndarray:
        """Exact start times of the sequence at the durations as given, verified."""
        decision = self.problem.timing(sequence_of(starts, grid.durations), self.p).starts
        if not bool(self.problem.is_feasible(torch.from_numpy(decision), torch.from_numpy(self.p))):
            raise SolveFailedError("The schedule found violates a precedence; please report the instance.")
        return decision

    # -- limits -----------------------------------------------------------------------------------
    def _left(self) -> float:
        return np.inf if self.deadline is None else self.deadline - time.perf_counter()

    def _seconds(self) -> float | None:
        return None if self.deadline is None else max(self._left(), 1e-3)

    def _rounding(self, grid: Grid, decision: np.ndarray) -> float:
        """By how much rounding durations and weights can move the optimum below that on the grid."""
        problem = self.problem
        if problem.criterion == "makespan":
            return problem.num_costs * grid.error
        weight = float(np.maximum(problem.weights, problem.earliness_weights).sum())
        moved = weight * problem.num_costs * grid.error
        if grid.weight_error > 0:
            # no better schedule has deviations that cost more than this one's; the cheapest are longest
            ends = decision[problem.last] + self.p[problem.last]
            cost = float(problem.cost_of_ends(torch.from_numpy(ends))) - grid.constant
            used = np.concatenate([problem.weights, problem.earliness_weights])
            moved += grid.weight_error * cost / used[used > 0].min()
        return moved

    def _is_told_apart(self, grid: Grid) -> bool:
        """Whether weights on the grid, and float64 so far from 0, still tell schedules apart."""
        if self.problem.criterion == "makespan":
            return True
        if self.problem.criterion == "completion":
            return grid.keeps_weights
        digits = np.finfo(np.float64).eps * float(np.abs(self.problem.due_dates).max())
        return bool(grid.keeps_weights and digits <= _DIGITS * self.p.sum())
