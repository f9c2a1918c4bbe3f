"""A first schedule on the grid: dispatching, then tabu search for the makespan, annealing for sums."""

from __future__ import annotations

import functools
import time

import numpy as np

from diffcomb.oracles.interruption import check_interrupt
from diffcomb.problems.job_shop.job_shop import JobShop
from diffcomb.problems.job_shop.search.dispatch import dispatch
from diffcomb.problems.job_shop.search.grid import Grid, common_grid
from diffcomb.problems.job_shop.search.machine_orders import Operations
from diffcomb.problems.job_shop.search.makespan_tabu import MakespanTabu
from diffcomb.problems.job_shop.search.sum_annealing import JobCosts, SumAnnealing
from diffcomb.problems.job_shop.timing import earliest_starts

#: moves a search without a time share makes, per operation
_MOVES = 150
#: moves x operations of one cooling at most: some seconds, so that a time limit is kept
_LONGEST = 2e9
#: moves without progress before a restart: fewer restarts too early on ft10, more too late on swv01
_PATIENCE = 20_000
#: moves x operations between two looks at the clock, some tenths of a second
_SLICE = 4_000_000


def start_schedule(
    problem: JobShop, grid: Grid, seed: int, seconds: float | None, sequence: np.ndarray | None = None
) -> tuple[np.ndarray, int]:
    """(starts (n,) int64, objective on the grid).

    Args:
        seconds: the search goes on that long; None = a fixed number of moves.
        sequence: start from here instead of dispatching.
    """
    if sequence is None:
        sequence = best_dispatch(problem, grid, seed)
    if problem.criterion != "makespan":
        return _annealed(problem, grid, seed, seconds, sequence)
    search = MakespanTabu(Operations(problem.job, grid.durations), problem.machine, sequence, seed)
    target, moves = lower_bound(problem, grid), _MOVES * problem.num_costs
    stop = None if seconds is None else time.perf_counter() + seconds
    done = 0
    step = max(1, min(1000, _SLICE // problem.num_costs))
    while search.best > target and (done < moves if stop is None else time.perf_counter() < stop):
        check_interrupt()
        search.run(step, _PATIENCE, target)
        done += step
    return search.starts, search.best


@functools.cache
def compile_searches(objective: str) -> None:
    """Compile, or load from the disk cache, what `start_schedule` calls.

    In a fresh checkout this takes some 15 CPU seconds, once; a deadline that ran meanwhile would leave a
    hard instance without any search.
    """
    shop = JobShop([[0, 1], [0, 1]], objective, due_dates=[1.0, 1.0])
    grid = common_grid(shop, np.ones(4))
    assert grid is not None
    sequence = best_dispatch(shop, grid, 0)
    if objective == "makespan":
        MakespanTabu(Operations(shop.job, grid.durations), shop.machine, sequence, 0).run(0, _PATIENCE, 0)
    else:
        _annealed(shop, grid, 0, None, sequence)


def _annealed(
    problem: JobShop, grid: Grid, seed: int, seconds: float | None, sequence: np.ndarray
) -> tuple[np.ndarray, int]:
    """Coolings of growing length from the dispatched schedule."""
    due = grid.due_dates if problem.criterion != "completion" else np.zeros_like(grid.due_dates)
    weighs_early = problem.criterion == "earliness_tardiness"
    earliness = grid.earliness if weighs_early else np.zeros_like(grid.earliness)
    operations = Operations(problem.job, grid.durations)
    costs = JobCosts(problem.last, due, grid.weights, earliness)
    search = SumAnnealing(operations, problem.machine, costs, sequence, seed)
    target, moves = lower_bound(problem, grid), _MOVES * problem.num_costs
    stop = None if seconds is None else time.perf_counter() + seconds
    # temperatures in units of a typical change: a mean weight times a mean duration
    unit = float(grid.weights.mean()) * max(1.0, float(grid.durations.mean()))
    while search.best > target:
        search.run(moves, 4.0 * unit, 0.1 * unit, target, stop)
        moves = 2 * moves if 2 * moves * problem.num_costs < _LONGEST else moves
        if stop is None or time.perf_counter() >= stop:
            break
    return search.starts, search.best


def best_dispatch(problem: JobShop, grid: Grid, seed: int, draws: int | None = None) -> np.ndarray:
    """The best of the priority rules: most work remaining, weighted shortest job, due date; and noise.

    draws: schedules tried; by default half as many as operations, up to 50.
    """
    q = grid.durations.astype(np.float64)
    total = np.cumsum(q)
    remaining = total[problem.last][problem.job] - total + q
    length = np.maximum(total[problem.last] - total[problem.first] + q[problem.first], 1.0)
    rules = [remaining, -q, (grid.weights / length)[problem.job]]
    if problem.criterion in ("tardiness", "earliness_tardiness"):
        rules += [-grid.due_dates[problem.job].astype(np.float64), remaining - grid.due_dates[problem.job]]
    rng = np.random.default_rng(seed)
    best, kept = None, np.inf
    if draws is None:
        draws = min(50, problem.num_costs // 2)
    for k in range(max(draws, len(rules))):
        rule = rules[k % len(rules)]
        noise = rng.uniform(0.8, 1.2, len(q)) if k >= len(rules) else 1.0
        sequence = dispatch(
            problem.job, problem.machine, problem.first, problem.last, grid.durations, rule * noise
        )
        value = _objective(problem, grid, _starts(problem, grid, sequence))
        if value < kept:
            best, kept = sequence, value
    assert best is not None
    return best


def lower_bound(problem: JobShop, grid: Grid) -> int:
    """Largest of: a job's length; a machine's load between its least head and its least tail.

    For sums over jobs: every job alone; every machine alone from its least head on, by Smith's rule
    (1956), each job's tail after it. A tardiness is at least the lateness, so both bound it too.
    """
    q = grid.durations
    total = np.cumsum(q)
    base = total[problem.first] - q[problem.first]
    length = total[problem.last] - base
    head = total - q - base[problem.job]
    tail = length[problem.job] - head - q
    machines = [np.flatnonzero(problem.machine == m) for m in range(problem.num_machines)]
    machines = [on for on in machines if len(on)]
    if problem.criterion == "makespan":
        loads = [head[on].min() + q[on].sum() + tail[on].min() for on in machines]
        return int(max(length.max(), *loads))
    alone, w = grid.weights[problem.job], grid.weights
    completion = int((w * length).sum())
    for on in machines:
        rest = np.setdiff1d(np.arange(problem.num_jobs), problem.job[on])
        order = on[np.argsort(-alone[on] / np.maximum(q[on], 1e-9), kind="stable")]
        ends = head[on].min() + np.cumsum(q[order]) + tail[order]
        together = int((alone[order] * ends).sum()) + int((w[rest] * length[rest]).sum())
        completion = max(completion, together)
    if problem.criterion == "completion":
        return completion
    apart = int((w * np.maximum(length - grid.due_dates, 0)).sum())
    return max(apart, completion - int((w * grid.due_dates).sum()), 0)


def _starts(problem: JobShop, grid: Grid, sequence: np.ndarray) -> np.ndarray:
    q = grid.durations.astype(np.float64)  # below 2^53: exact
    starts = earliest_starts(sequence, problem.job, problem.machine, q, np.zeros(len(q)))[0]
    return starts.astype(np.int64)


def _objective(problem: JobShop, grid: Grid, starts: np.ndarray) -> int:
    ends = starts[problem.last] + grid.durations[problem.last]
    if problem.criterion == "makespan":
        return int(ends.max())
    if problem.criterion == "completion":
        return int((grid.weights * ends).sum())
    cost = grid.weights * np.maximum(ends - grid.due_dates, 0)
    if problem.criterion == "earliness_tardiness":
        cost = cost + grid.earliness * np.maximum(grid.due_dates - ends, 0)
    return int(cost.sum())
