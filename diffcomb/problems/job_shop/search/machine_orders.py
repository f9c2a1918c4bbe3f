"""Machine orders as linked lists, their longest paths, and a generator that compiled searches share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled


class Operations(NamedTuple):
    """What searches know of the operations, numbered job by job.

    Attributes:
        job, p: (n,) int64, the job of each and its duration on the grid.
    """

    job: np.ndarray
    p: np.ndarray


class MachineOrders(NamedTuple):
    """The order on every machine: neighbours before and after each operation, -1 at the ends.

    Attributes:
        before, after: (n,) int64.
    """

    before: np.ndarray
    after: np.ndarray

    def copy(self) -> MachineOrders:
        return MachineOrders(self.before.copy(), self.after.copy())


class LongestPaths(NamedTuple):
    """Where `heads` and `heads_and_tails` write.

    Attributes:
        head: (n,) int64, earliest starts. tail: from the start on to the end, own duration included.
        order: a sequence. degree: predecessors not yet in it.
    """

    head: np.ndarray
    tail: np.ndarray
    order: np.ndarray
    degree: np.ndarray


@compiled
def no_paths(n: int) -> LongestPaths:
    return LongestPaths(
        np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    )


@compiled
def random_below(state: np.ndarray, below: int) -> int:
    """Uniform in 0..below-1: xorshift64*, so that a run continues where it stopped."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return int((x * np.uint64(2685821657736338717)) >> np.uint64(33)) % below


@compiled
def heads(operations: Operations, orders: MachineOrders, paths: LongestPaths) -> bool:
    """Earliest starts into `paths`, with a sequence; False if the orders contain a cycle."""
    job, p = operations
    before, after = orders
    head, _, order, degree = paths
    n = len(p)
    filled = 0
    for i in range(n):
        has_job = i > 0 and job[i - 1] == job[i]
        degree[i] = has_job + (before[i] >= 0)
        if degree[i] == 0:
            order[filled] = i
            filled += 1
            head[i] = 0
    k = 0
    while k < filled:
        i = order[k]
        k += 1
        if i + 1 < n and job[i + 1] == job[i]:
            degree[i + 1] -= 1
            if degree[i + 1] == 0:
                b = before[i + 1]
                head[i + 1] = head[i] + p[i] if b < 0 else max(head[i] + p[i], head[b] + p[b])
                order[filled] = i + 1
                filled += 1
        a = after[i]
        if a >= 0:
            degree[a] -= 1
            if degree[a] == 0:
                h = head[i] + p[i]
                if a > 0 and job[a - 1] == job[a]:
                    h = max(h, head[a - 1] + p[a - 1])
                head[a] = h
                order[filled] = a
                filled += 1
    return filled == n


@compiled
def heads_and_tails(operations: Operations, orders: MachineOrders, paths: LongestPaths) -> int:
    """Longest paths to the start (head) and from it (tail); the makespan, -1 for a cycle."""
    if not heads(operations, orders, paths):
        return -1
    job, p = operations
    head, tail, order, _ = paths
    n = len(p)
    makespan = 0
    for k in range(n - 1, -1, -1):
        i = order[k]
        t = 0
        if i + 1 < n and job[i + 1] == job[i]:
            t = tail[i + 1]
        if orders.after[i] >= 0:
            t = max(t, tail[orders.after[i]])
        tail[i] = t + p[i]
        makespan = max(makespan, head[i] + tail[i])
    return makespan


def machine_orders(sequence: np.ndarray, machine: np.ndarray) -> MachineOrders:
    """The orders that a sequence (n,) gives; machine (n,)."""
    before, after = np.full(len(sequence), -1, np.int64), np.full(len(sequence), -1, np.int64)
    grouped = sequence[np.argsort(machine[sequence], kind="stable")]
    same = machine[grouped[:-1]] == machine[grouped[1:]]
    after[grouped[:-1][same]] = grouped[1:][same]
    before[grouped[1:][same]] = grouped[:-1][same]
    return MachineOrders(before, after)
