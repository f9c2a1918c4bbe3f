"""Tabu search for the makespan of a job shop, compiled.

Neighbourhood N6 of Balas & Vazacopoulos (1998): inside a block of the critical path an operation moves
right behind the block's last or right before its first one, where that provably leaves no cycle; N5 of
Nowicki & Smutnicki (1996) is the special case of neighbours at the ends. Moves are ranked by the estimate
of Balas & Vazacopoulos, tabu lists forbid the reversal of reversed arcs (tenure as in Zhang et al. 2007).
After a while without progress the search restarts from the best schedule, shaken by random N1 swaps.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled, inlined
from diffcomb.problems.job_shop.search.machine_orders import (
    LongestPaths,
    MachineOrders,
    Operations,
    heads_and_tails,
    machine_orders,
    no_paths,
    random_below,
)


class MakespanTabu:
    """A search that can be continued: the best makespan so far is `best`, its schedule `starts`.

    Args:
        operations: durations on the integer grid. machine: (n,) int64.
        sequence: (n,) int64, where to start.
        seed: the same seed, the same search.
    """

    def __init__(
        self, operations: Operations, machine: np.ndarray, sequence: np.ndarray, seed: int = 0
    ) -> None:
        n, num_jobs = len(operations.p), int(operations.job.max()) + 1
        self._operations = operations
        self._orders = machine_orders(sequence, machine)
        self._best = self._orders.copy()
        makespan = int((self.starts + operations.p).max())
        self._memory = _Memory(
            np.zeros((n, num_jobs), np.int64),
            np.array([0x9E3779B97F4A7C15 ^ (seed * 0x2545F491 + 1)], np.uint64),
            np.array([0, makespan, 0], np.int64),
        )

    @property
    def best(self) -> int:
        return int(self._memory.counters[1])

    @property
    def starts(self) -> np.ndarray:
        """(n,) int64 start times of the best schedule."""
        paths = no_paths(len(self._operations.p))
        heads_and_tails(self._operations, self._best, paths)
        return paths.head

    def run(self, steps: int, patience: int, target: int) -> None:
        """Up to `steps` more moves; `patience` of them without progress lead to a restart."""
        tabu_steps(self._operations, self._orders, self._best, self._memory, steps, patience, target)


class _Memory(NamedTuple):
    """Between calls of the kernel.

    Attributes:
        tabu: (n, jobs) int64, the move until which operation i may not come before the operation of
            job j on the same machine again.
        state: (1,) uint64 of the generator.
        counters: (3,) moves so far, best makespan, last progress.
    """

    tabu: np.ndarray
    state: np.ndarray
    counters: np.ndarray


class _Scratch(NamedTuple):
    """Within a call of the kernel.

    Attributes:
        path: (n,) the critical path. block, best: moved operations in their new order, then the ends of
            the stretch as it was; new_head: their heads; (jobs + 2,) each.
    """

    path: np.ndarray
    block: np.ndarray
    best: np.ndarray
    new_head: np.ndarray


@compiled
def tabu_steps(
    operations: Operations,
    orders: MachineOrders,
    best: MachineOrders,
    memory: _Memory,
    steps: int,
    patience: int,
    target: int,
) -> None:
    """Run up to `steps` moves in place; stops when the best makespan reaches `target`."""
    before, after = orders
    tabu, state, counters = memory
    n, num_jobs = len(operations.p), tabu.shape[1]
    paths = no_paths(n)
    scratch = _Scratch(
        np.zeros(n, np.int64),
        np.zeros(num_jobs + 2, np.int64),
        np.zeros(num_jobs + 2, np.int64),
        np.zeros(num_jobs + 2, np.int64),
    )
    machines = max(1, n // num_jobs)
    tenure = 10 + num_jobs // machines
    spread = max(2, int(tenure * 0.5))
    makespan = heads_and_tails(operations, orders, paths)
    for _ in range(steps):
        if counters[1] <= target:
            return
        counters[0] += 1
        now = counters[0]
        if now - counters[2] > patience:
            before[:], after[:] = best
            tabu[:] = 0
            counters[2] = now
            makespan = _shake(operations, orders, paths, scratch.path, state)
        count = _critical_path(operations, orders, paths, makespan, scratch.path, state)
        size = _choose_move(operations, orders, paths, memory, scratch, count)
        if size == 0:
            counters[1] = min(counters[1], makespan)
            counters[2] = now - patience - 1  # one block a machine: nothing to move here
            if count == 0:
                return
            continue
        _move(operations, orders, memory, scratch.best, size, now + tenure + random_below(state, spread))
        makespan = heads_and_tails(operations, orders, paths)
        if 0 <= makespan < counters[1]:
            counters[1], counters[2] = makespan, now
            best.before[:], best.after[:] = orders
        elif makespan < 0:
            counters[2] = now - patience - 1  # a cycle: back to the best schedule
            before[:], after[:] = best
            makespan = heads_and_tails(operations, orders, paths)


@compiled
def _shake(
    operations: Operations, orders: MachineOrders, paths: LongestPaths, path: np.ndarray, state: np.ndarray
) -> int:
    """A few random swaps of neighbours on the critical path (N1); the makespan after them."""
    before, after = orders
    head, tail, p = paths.head, paths.tail, operations.p
    makespan = heads_and_tails(operations, orders, paths)
    for _ in range(4 + random_below(state, 12)):
        count = _critical_path(operations, orders, paths, makespan, path, state)
        k = random_below(state, max(count - 1, 1))
        for shift in range(count - 1):
            i = path[(k + shift) % (count - 1)]
            a = after[i]
            if a >= 0 and head[i] + p[i] == head[a] and head[a] + tail[a] == makespan:
                _move_behind(i, a, before, after)  # a critical arc: no cycle
                break
        makespan = heads_and_tails(operations, orders, paths)
    return makespan


@compiled
def _choose_move(
    operations: Operations,
    orders: MachineOrders,
    paths: LongestPaths,
    memory: _Memory,
    scratch: _Scratch,
    count: int,
) -> int:
    """The best move that is not tabu, else any, into scratch.best; its size, 0 where there is none."""
    job, p = operations
    head, tail, path, block = paths.head, paths.tail, scratch.path, scratch.block
    tabu, state, counters = memory
    n, now = len(p), counters[0]
    best, best_size, ties = 2**62, 0, 0
    fallback, fallback_size = 0, 0
    start = 0
    while start < count:
        stop = start
        while stop + 1 < count and orders.after[path[stop]] == path[stop + 1]:
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
                value = _estimate(operations, orders, paths, block, size, scratch.new_head)
                if forbidden and value >= counters[1]:
                    fallback_size += 1
                    if best_size == 0 and random_below(state, fallback_size) == 0:
                        scratch.best[: size + 2] = block[: size + 2]
                        fallback = size
                    continue
                if value < best:
                    ties = 0
                if value <= best:
                    ties += 1
                    if ties == 1 or random_below(state, ties) == 0:
                        best, best_size = value, size
                        scratch.best[: size + 2] = block[: size + 2]
        start = stop + 1
    return best_size if best_size > 0 else fallback


@inlined
def _estimate(
    operations: Operations,
    orders: MachineOrders,
    paths: LongestPaths,
    block: np.ndarray,
    size: int,
    new_head: np.ndarray,
) -> int:
    """Longest path through `block` (the moved operations in their new order on the machine)."""
    job, p = operations
    head, tail = paths.head, paths.tail
    # the old neighbours outside the moved stretch are those of its old ends
    left, right = orders.before[block[size]], orders.after[block[size + 1]]
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
        if i + 1 < len(p) and job[i + 1] == job[i]:
            t = max(t, tail[i + 1])
        rest = t + p[i]
        longest = max(longest, new_head[k] + rest)
    return longest


@compiled
def _move(
    operations: Operations, orders: MachineOrders, memory: _Memory, block: np.ndarray, size: int, until: int
) -> None:
    """Make the move in `block`; its reversal is tabu until move `until`."""
    before, after = orders
    job, tabu = operations.job, memory.tabu
    u, v = block[size], block[size + 1]
    if block[size - 1] == u:
        for k in range(size - 1):
            tabu[u, job[block[k]]] = until
        _move_behind(u, v, before, after)
    else:
        for k in range(1, size):
            tabu[block[k], job[v]] = until
        _move_behind(v, u, after, before)


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
def _critical_path(
    operations: Operations,
    orders: MachineOrders,
    paths: LongestPaths,
    makespan: int,
    path: np.ndarray,
    state: np.ndarray,
) -> int:
    """One longest path, ties broken at random; its length."""
    job, p = operations
    before, after = orders
    head, tail = paths.head, paths.tail
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
