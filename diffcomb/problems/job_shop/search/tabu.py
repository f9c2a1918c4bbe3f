"""Tabu search for the makespan of a job shop, compiled.

Neighbourhood N6 of Balas & Vazacopoulos (1998): inside a block of the critical path an operation moves
right behind the block's last or right before its first one, where that provably leaves no cycle; N5 of
Nowicki & Smutnicki (1996) is the special case of neighbours at the ends. Moves are ranked by the estimate
of Balas & Vazacopoulos, tabu lists forbid the reversal of reversed arcs (tenure as in Zhang et al. 2007).
After a while without progress the search restarts from the best schedule, shaken by random N1 swaps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.job_shop.search.machine_orders import heads_and_tails, machine_neighbours, random_below


@compiled
def _estimate(
    block: np.ndarray,
    size: int,
    job: np.ndarray,
    p: np.ndarray,
    head: np.ndarray,
    tail: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    new_head: np.ndarray,
) -> int:
    """Longest path through `block` (the moved operations in their new order on the machine)."""
    n = len(p)
    # the old neighbours outside the moved stretch are those of its old ends
    left, right = before[block[size]], after[block[size + 1]]
    ready = head[left] + p[left] if left >= 0 else 0
    for k in range(size):
        i = block[k]
        h = ready
        if i > 0 and job[i - 1] == job[i]:
            h = max(h, head[i - 1] + p[i - 1])
        new_head[k] = h
        ready = h + p[i]
    rest = tail[right] if right >= 0 else 0
    longest = 0
    for k in range(size - 1, -1, -1):
        i = block[k]
        t = rest
        if i + 1 < n and job[i + 1] == job[i]:
            t = max(t, tail[i + 1])
        rest = t + p[i]
        longest = max(longest, new_head[k] + rest)
    return longest


@compiled
def _move_behind(u: int, v: int, before: np.ndarray, after: np.ndarray) -> None:
    """Take u out of its machine's list and put it right behind v; before and after swapped: ahead of v."""
    b, a = before[u], after[u]
    if b >= 0:
        after[b] = a
    if a >= 0:
        before[a] = b
    c = after[v]
    after[v], before[u], after[u] = u, v, c
    if c >= 0:
        before[c] = u


@compiled
def tabu_steps(
    job: np.ndarray,
    p: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    best_before: np.ndarray,
    best_after: np.ndarray,
    tabu: np.ndarray,
    state: np.ndarray,
    counters: np.ndarray,
    steps: int,
    patience: int,
    target: int,
) -> None:
    """Run up to `steps` moves in place; stops when the best makespan reaches `target`.

    Args:
        job, p: (n,) int64. before, after: (n,) neighbours on the machine, -1 at the ends.
        best_before, best_after: of the best schedule. tabu: (n, jobs) int64, the move until which
            operation i may not come before the operation of job j on the same machine again.
        state: (1,) uint64 of the generator. counters: (3,) moves so far, best makespan, last progress.
    """
    n, num_jobs = len(p), tabu.shape[1]
    head, tail = np.zeros(n, np.int64), np.zeros(n, np.int64)
    order, degree = np.zeros(n, np.int64), np.zeros(n, np.int64)
    path = np.zeros(n, np.int64)
    block, best_block = np.zeros(num_jobs + 2, np.int64), np.zeros(num_jobs + 2, np.int64)
    new_head = np.zeros(num_jobs + 2, np.int64)
    machines = max(1, n // num_jobs)
    tenure = 10 + num_jobs // machines
    spread = max(2, int(tenure * 0.5))
    makespan = heads_and_tails(job, p, before, after, head, tail, order, degree)
    for _ in range(steps):
        if counters[1] <= target:
            return
        counters[0] += 1
        now = counters[0]
        if now - counters[2] > patience:
            before[:], after[:] = best_before, best_after
            tabu[:] = 0
            counters[2] = now
            makespan = heads_and_tails(job, p, before, after, head, tail, order, degree)
            for _ in range(4 + random_below(state, 12)):
                count = _critical_path(job, p, before, after, head, tail, makespan, path, state)
                k = random_below(state, max(count - 1, 1))
                for shift in range(count - 1):
                    i = path[(k + shift) % (count - 1)]
                    a = after[i]
                    if a >= 0 and head[i] + p[i] == head[a] and head[a] + tail[a] == makespan:
                        _move_behind(i, a, before, after)  # a critical arc: no cycle (N1)
                        break
                makespan = heads_and_tails(job, p, before, after, head, tail, order, degree)
        count = _critical_path(job, p, before, after, head, tail, makespan, path, state)
        best, best_size, ties = 2**62, 0, 0
        fallback, fallback_size = 0, 0
        start = 0
        while start < count:
            stop = start
            while stop + 1 < count and after[path[stop]] == path[stop + 1]:
                stop += 1
            for low in range(start, stop):
                for direction in range(2):
                    # 0: low goes behind stop. 1: (mirror image) the operation goes ahead of start.
                    if direction == 0:
                        a, b = low, stop
                        u, v = path[a], path[b]
                        # a path from u's job successor to v would close a cycle; neighbours are safe
                        successor = u + 1 < n and job[u + 1] == job[u]
                        if b - a > 1 and successor and tail[v] < tail[u + 1]:
                            continue
                    else:
                        a, b = start, low + 1
                        if b - a == 1 and start + 1 == stop:
                            continue  # a block of two: the same swap as direction 0
                        u, v = path[a], path[b]
                        predecessor = v > 0 and job[v - 1] == job[v]
                        if b - a > 1 and predecessor and head[u] + p[u] < head[v - 1] + p[v - 1]:
                            continue
                    size = b - a + 1
                    forbidden = False
                    if direction == 0:
                        for k in range(1, size):
                            block[k - 1] = path[a + k]
                            forbidden |= tabu[path[a + k], job[u]] > now
                        block[size - 1] = u
                    else:
                        block[0] = v
                        for k in range(size - 1):
                            block[k + 1] = path[a + k]
                            forbidden |= tabu[v, job[path[a + k]]] > now
                    block[size], block[size + 1] = u, v
                    value = _estimate(block, size, job, p, head, tail, before, after, new_head)
                    if forbidden and value >= counters[1]:
                        fallback_size += 1
                        if best_size == 0 and random_below(state, fallback_size) == 0:
                            best_block[: size + 2] = block[: size + 2]
                            fallback = size
                        continue
                    if value < best:
                        ties = 0
                    if value <= best:
                        ties += 1
                        if ties == 1 or random_below(state, ties) == 0:
                            best, best_size = value, size
                            best_block[: size + 2] = block[: size + 2]
            start = stop + 1
        if best_size == 0:
            if fallback == 0:
                counters[1] = min(counters[1], makespan)
                counters[2] = now - patience - 1  # one block a machine: nothing to move here
                if count == 0:
                    return
                continue
            best_size = fallback
        u, v = best_block[best_size], best_block[best_size + 1]
        until = now + tenure + random_below(state, spread)
        if best_block[best_size - 1] == u:
            for k in range(best_size - 1):
                tabu[u, job[best_block[k]]] = until
            _move_behind(u, v, before, after)
        else:
            for k in range(1, best_size):
                tabu[best_block[k], job[v]] = until
            _move_behind(v, u, after, before)
        makespan = heads_and_tails(job, p, before, after, head, tail, order, degree)
        if 0 <= makespan < counters[1]:
            counters[1], counters[2] = makespan, now
            best_before[:], best_after[:] = before, after
        elif makespan < 0:
            counters[2] = now - patience - 1  # a cycle: back to the best schedule
            before[:], after[:] = best_before, best_after
            makespan = heads_and_tails(job, p, before, after, head, tail, order, degree)


@compiled
def _critical_path(
    job: np.ndarray,
    p: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    head: np.ndarray,
    tail: np.ndarray,
    makespan: int,
    path: np.ndarray,
    state: np.ndarray,
) -> int:
    """One longest path, ties broken at random; its length."""
    n = len(p)
    i, seen = -1, 0
    for k in range(n):
        if head[k] == 0 and tail[k] == makespan:
            first = before[k] < 0 or head[before[k]] + p[before[k]] < 0 or tail[before[k]] < makespan
            if first and (k == 0 or job[k - 1] != job[k] or tail[k - 1] < makespan):
                seen += 1
                if random_below(state, seen) == 0:
                    i = k
    count = 0
    while i >= 0:
        path[count] = i
        count += 1
        end, rest = head[i] + p[i], tail[i] - p[i]
        along = i + 1 < n and job[i + 1] == job[i] and head[i + 1] == end and tail[i + 1] == rest
        a = after[i]
        across = a >= 0 and head[a] == end and tail[a] == rest
        if along and across:
            i = i + 1 if random_below(state, 2) == 0 else a
        elif along:
            i = i + 1
        elif across:
            i = a
        else:
            i = -1
    return count


@dataclass
class TabuSearch:
    """A search that can be continued: the best schedule so far is `sequence`, its makespan `best`.

    Args:
        job, machine, p: (n,) int64; p on the integer grid.
        sequence: (n,) int64, where to start.
        seed: the same seed, the same search.
    """

    job: np.ndarray
    machine: np.ndarray
    p: np.ndarray
    start: np.ndarray
    seed: int = 0

    def __post_init__(self) -> None:
        n, num_jobs = len(self.p), int(self.job.max()) + 1
        self._before, self._after = machine_neighbours(self.start, self.machine)
        self._best_before, self._best_after = self._before.copy(), self._after.copy()
        self._tabu = np.zeros((n, num_jobs), np.int64)
        self._state = np.array([0x9E3779B97F4A7C15 ^ (self.seed * 0x2545F491 + 1)], np.uint64)
        makespan = int((self._best_starts() + self.p).max())
        self._counters = np.array([0, makespan, 0], np.int64)

    @property
    def best(self) -> int:
        return int(self._counters[1])

    def run(self, steps: int, patience: int, target: int) -> None:
        """Up to `steps` more moves; `patience` of them without progress lead to a restart."""
        tabu_steps(
            self.job,
            self.p,
            self._before,
            self._after,
            self._best_before,
            self._best_after,
            self._tabu,
            self._state,
            self._counters,
            steps,
            patience,
            target,
        )

    def _best_starts(self) -> np.ndarray:
        n = len(self.p)
        head, tail, order, degree = (np.zeros(n, np.int64) for _ in range(4))
        heads_and_tails(self.job, self.p, self._best_before, self._best_after, head, tail, order, degree)
        self._order = order
        return head

    @property
    def starts(self) -> np.ndarray:
        """(n,) int64 start times of the best schedule."""
        return self._best_starts()
