"""Simulated annealing for sums over jobs (completion, tardiness, earliness + tardiness), compiled.

A move swaps two neighbours on a machine where the second starts right when the first ends and a costly
job waits for it: all other swaps leave every late job as late as it is (van Laarhoven, Aarts & Lenstra
1992, N1, with a cost in place of the makespan). Under earliness a move may swap any such pair.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled, inlined
from diffcomb.oracles.interruption import check_interrupt
from diffcomb.problems.job_shop.search.machine_orders import (
    LongestPaths,
    MachineOrders,
    Operations,
    heads,
    machine_orders,
    no_paths,
    random_below,
)

#: moves x operations between two looks at the clock: a few tenths of a second
_SLICE = 4_000_000


class JobCosts(NamedTuple):
    """What the ends of jobs cost, on the grid.

    Attributes:
        last: (jobs,) int64, the last operation of each job.
        due, weight, earliness: (jobs,) int64; `earliness` all 0 for regular objectives.
    """

    last: np.ndarray
    due: np.ndarray
    weight: np.ndarray
    earliness: np.ndarray


class SumAnnealing:
    """A search that can be continued: the best schedule so far is `starts`, its cost `best`.

    Args:
        operations: durations on the integer grid. machine: (n,) int64.
        sequence: (n,) int64, where to start. seed: the same seed, the same search.
    """

    def __init__(
        self,
        operations: Operations,
        machine: np.ndarray,
        costs: JobCosts,
        sequence: np.ndarray,
        seed: int = 0,
    ) -> None:
        self._operations, self._costs = operations, costs
        self._orders = machine_orders(sequence, machine)
        self._state = np.array([0x9E3779B97F4A7C15 ^ (seed * 0x2545F491 + 1)], np.uint64)
        self.starts = np.zeros(len(operations.p), np.int64)
        self.best = 2**62
        self.run(0, 1.0, 1.0, 0, None)

    def run(self, steps: int, hot: float, cold: float, target: int, stop: float | None) -> None:
        """One cooling from the current schedule, from temperature `hot` to `cold` in `steps` moves.

        Ends early at a cost of `target`, a lower bound, or when time.perf_counter passes `stop`.
        """
        cooling = (cold / hot) ** (1.0 / max(1, steps))
        temperature, slice_ = hot, max(1, _SLICE // len(self.starts))
        while True:
            check_interrupt()
            moves = min(steps, slice_)
            self.best, temperature = _anneal(
                self._operations,
                self._costs,
                self._orders,
                self.starts,
                self._state,
                self.best,
                target,
                _Cooling(moves, temperature, cooling),
            )
            steps -= moves
            late = stop is not None and time.perf_counter() >= stop
            if steps <= 0 or self.best <= target or late:
                return


class _Cooling(NamedTuple):
    steps: int
    temperature: float
    factor: float


@compiled
def _anneal(
    operations: Operations,
    costs: JobCosts,
    orders: MachineOrders,
    best_start: np.ndarray,
    state: np.ndarray,
    best: int,
    target: int,
    cooling: _Cooling,
) -> tuple[int, float]:
    """Moves in place; the best cost so far, whose starts are in `best_start`, and the last temperature."""
    n = len(operations.p)
    paths = no_paths(n)
    start = np.zeros(n, np.int64)
    mark, candidate = np.zeros(n, np.bool_), np.zeros(n, np.int64)
    early = costs.earliness.max() > 0
    heads(operations, orders, paths)
    start[:] = paths.head
    if early:
        _right_shift(operations, costs, orders, paths.order, start)
    now = _cost(operations, costs, start)
    if now < best:
        best = now
        best_start[:] = start
    count = _candidates(operations, costs, orders, paths, mark, candidate, early)
    temperature = cooling.temperature
    for _ in range(cooling.steps):
        if best <= target or count == 0:
            break
        temperature *= cooling.factor
        v = candidate[random_below(state, count)]
        u = orders.before[v]
        _swap(u, v, orders)
        if not heads(operations, orders, paths):  # operations of duration 0
            _swap(v, u, orders)
            continue
        start[:] = paths.head
        if early:
            _right_shift(operations, costs, orders, paths.order, start)
        cost = _cost(operations, costs, start)
        worse = float(cost - now)
        if worse <= 0 or random_below(state, 2**30) < np.exp(-worse / temperature) * 2**30:
            now = cost
            count = _candidates(operations, costs, orders, paths, mark, candidate, early)
            if now < best:
                best = now
                best_start[:] = start
        else:
            _swap(v, u, orders)
    return best, temperature


@inlined
def _right_shift(
    operations: Operations, costs: JobCosts, orders: MachineOrders, order: np.ndarray, start: np.ndarray
) -> None:
    """From the end of the sequence on, early jobs end later: at their due date if nothing is in the way."""
    job, p = operations
    for k in range(len(p) - 1, -1, -1):
        i = order[k]
        j = job[i]
        if i != costs.last[j]:
            continue
        latest = costs.due[j] - p[i]
        if orders.after[i] >= 0:
            latest = min(latest, start[orders.after[i]] - p[i])
        start[i] = max(start[i], latest)


@inlined
def _cost(operations: Operations, costs: JobCosts, start: np.ndarray) -> int:
    last, due, weight, earliness = costs
    total = 0
    for j in range(len(last)):
        late = start[last[j]] + operations.p[last[j]] - due[j]
        total += weight[j] * late if late > 0 else -earliness[j] * late
    return total


@compiled
def _candidates(
    operations: Operations,
    costs: JobCosts,
    orders: MachineOrders,
    paths: LongestPaths,
    mark: np.ndarray,
    candidate: np.ndarray,
    any_pair: bool,
) -> int:
    """Operations to swap with their machine predecessor: tight, and on the way to a late job."""
    job, p = operations
    head = paths.head
    mark[:] = any_pair
    for j in range(len(costs.last)):
        i = costs.last[j]
        mark[i] |= head[i] + p[i] > costs.due[j]
    count = 0
    for k in range(len(p) - 1, -1, -1):
        i = paths.order[k]
        if not mark[i]:
            continue
        b = orders.before[i]
        if b >= 0 and head[b] + p[b] == head[i]:
            mark[b] = True
            candidate[count] = i
            count += 1
        if i > 0 and job[i - 1] == job[i] and head[i - 1] + p[i - 1] == head[i]:
            mark[i - 1] = True
    return count


@inlined
def _swap(u: int, v: int, orders: MachineOrders) -> None:
    """u, v -> v, u for neighbours u, v on a machine."""
    before, after = orders
    b, a = before[u], after[v]
    before[v], after[v], before[u], after[u] = b, u, v, a
    if b >= 0:
        after[b] = v
    if a >= 0:
        before[a] = u
