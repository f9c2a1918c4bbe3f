"""Simulated annealing for sums over jobs (completion, tardiness, earliness + tardiness), compiled.

A move swaps two neighbours on a machine where the second starts right when the first ends and a costly
job waits for it: all other swaps leave every late job as late as it is (van Laarhoven, Aarts & Lenstra
1992, N1, with a cost in place of the makespan). Under earliness a move may swap any such pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.job_shop.search.machine_orders import heads, machine_neighbours, random_below


@compiled
def _right_shift(
    job: np.ndarray,
    p: np.ndarray,
    last: np.ndarray,
    due: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    order: np.ndarray,
    start: np.ndarray,
) -> None:
    """From the end of the sequence on, early jobs end later: at their due date if nothing is in the way."""
    n = len(p)
    for k in range(n - 1, -1, -1):
        i = order[k]
        j = job[i]
        if i != last[j]:
            continue
        latest = due[j] - p[i]
        if after[i] >= 0:
            latest = min(latest, start[after[i]] - p[i])
        start[i] = max(start[i], latest)


@compiled
def _cost(
    p: np.ndarray,
    last: np.ndarray,
    due: np.ndarray,
    weight: np.ndarray,
    earliness: np.ndarray,
    start: np.ndarray,
) -> int:
    total = 0
    for j in range(len(last)):
        late = start[last[j]] + p[last[j]] - due[j]
        total += weight[j] * late if late > 0 else -earliness[j] * late
    return total


@compiled
def _candidates(
    job: np.ndarray,
    p: np.ndarray,
    last: np.ndarray,
    due: np.ndarray,
    before: np.ndarray,
    order: np.ndarray,
    head: np.ndarray,
    mark: np.ndarray,
    candidate: np.ndarray,
    any_pair: bool,
) -> int:
    """Operations to swap with their machine predecessor: tight, and on the way to a late job."""
    n = len(p)
    mark[:] = any_pair
    for j in range(len(last)):
        mark[last[j]] |= head[last[j]] + p[last[j]] > due[j]
    count = 0
    for k in range(n - 1, -1, -1):
        i = order[k]
        if not mark[i]:
            continue
        b = before[i]
        if b >= 0 and head[b] + p[b] == head[i]:
            mark[b] = True
            candidate[count] = i
            count += 1
        if i > 0 and job[i - 1] == job[i] and head[i - 1] + p[i - 1] == head[i]:
            mark[i - 1] = True
    return count


@compiled
def _swap(u: int, v: int, before: np.ndarray, after: np.ndarray) -> None:
    """u, v -> v, u for neighbours u, v on a machine."""
    b, a = before[u], after[v]
    before[v], after[v], before[u], after[u] = b, u, v, a
    if b >= 0:
        after[b] = v
    if a >= 0:
        before[a] = u


@compiled
def anneal_steps(
    job: np.ndarray,
    p: np.ndarray,
    last: np.ndarray,
    due: np.ndarray,
    weight: np.ndarray,
    earliness: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    best_start: np.ndarray,
    state: np.ndarray,
    best: int,
    steps: int,
    hot: float,
    cold: float,
    target: int,
) -> int:
    """One cooling from temperature `hot` to `cold` in `steps` moves, in place; the best cost so far.

    Args:
        job, p: (n,) int64. last, due, weight, earliness: (jobs,) int64; `earliness` all 0 for regular
            objectives. before, after: (n,) neighbours on the machine. best_start: (n,) of the best.
        state: (1,) uint64 of the generator. target: a lower bound, at which it stops.
    """
    n = len(p)
    head, order, degree = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    start = np.zeros(n, np.int64)
    mark, candidate = np.zeros(n, np.bool_), np.zeros(n, np.int64)
    early = earliness.max() > 0
    heads(job, p, before, after, head, order, degree)
    start[:] = head
    if early:
        _right_shift(job, p, last, due, before, after, order, start)
    now = _cost(p, last, due, weight, earliness, start)
    if now < best:
        best = now
        best_start[:] = start
    count = _candidates(job, p, last, due, before, order, head, mark, candidate, early)
    cooling = (cold / hot) ** (1.0 / max(1, steps))
    temperature = hot
    for _ in range(steps):
        if best <= target or count == 0:
            break
        temperature *= cooling
        v = candidate[random_below(state, count)]
        u = before[v]
        _swap(u, v, before, after)
        if not heads(job, p, before, after, head, order, degree):  # operations of duration 0
            _swap(v, u, before, after)
            continue
        start[:] = head
        if early:
            _right_shift(job, p, last, due, before, after, order, start)
        cost = _cost(p, last, due, weight, earliness, start)
        worse = float(cost - now)
        if worse <= 0 or random_below(state, 2**30) < np.exp(-worse / temperature) * 2**30:
            now = cost
            count = _candidates(job, p, last, due, before, order, head, mark, candidate, early)
            if now < best:
                best = now
                best_start[:] = start
        else:
            _swap(v, u, before, after)
    return best


@dataclass
class Annealing:
    """A search that can be continued: the best schedule so far is `starts`, its cost `best`.

    Args:
        job, machine, p: (n,) int64 on the integer grid. last, due, weight, earliness: (jobs,) int64.
        sequence: (n,) int64, where to start. seed: the same seed, the same search.
    """

    job: np.ndarray
    machine: np.ndarray
    p: np.ndarray
    last: np.ndarray
    due: np.ndarray
    weight: np.ndarray
    earliness: np.ndarray
    sequence: np.ndarray
    seed: int = 0

    def __post_init__(self) -> None:
        self._before, self._after = machine_neighbours(self.sequence, self.machine)
        self._state = np.array([0x9E3779B97F4A7C15 ^ (self.seed * 0x2545F491 + 1)], np.uint64)
        self.starts = np.zeros(len(self.p), np.int64)
        self.best = 2**62
        self.run(0, 1.0, 1.0, 0)

    def run(self, steps: int, hot: float, cold: float, target: int) -> None:
        """One cooling from the current schedule; see `anneal_steps`."""
        self.best = anneal_steps(
            self.job,
            self.p,
            self.last,
            self.due,
            self.weight,
            self.earliness,
            self._before,
            self._after,
            self.starts,
            self._state,
            self.best,
            steps,
            hot,
            cold,
            target,
        )
