"""Machine orders as linked lists, their longest paths, and a generator that compiled searches share."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled


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
def heads(
    job: np.ndarray,
    p: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    head: np.ndarray,
    order: np.ndarray,
    degree: np.ndarray,
) -> bool:
    """Earliest starts into `head`, a sequence into `order`; False if the orders contain a cycle."""
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
def heads_and_tails(
    job: np.ndarray,
    p: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    head: np.ndarray,
    tail: np.ndarray,
    order: np.ndarray,
    degree: np.ndarray,
) -> int:
    """Longest paths to the start (head) and from it (tail, own p included); the makespan, -1 for a cycle."""
    if not heads(job, p, before, after, head, order, degree):
        return -1
    n = len(p)
    makespan = 0
    for k in range(n - 1, -1, -1):
        i = order[k]
        t = 0
        if i + 1 < n and job[i + 1] == job[i]:
            t = tail[i + 1]
        if after[i] >= 0:
            t = max(t, tail[after[i]])
        tail[i] = t + p[i]
        makespan = max(makespan, head[i] + tail[i])
    return makespan


def machine_neighbours(sequence: np.ndarray, machine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(before, after), each (n,): the neighbours of every operation on its machine, -1 at the ends."""
    before, after = np.full(len(sequence), -1, np.int64), np.full(len(sequence), -1, np.int64)
    grouped = sequence[np.argsort(machine[sequence], kind="stable")]
    same = machine[grouped[:-1]] == machine[grouped[1:]]
    after[grouped[:-1][same]] = grouped[1:][same]
    before[grouped[1:][same]] = grouped[:-1][same]
    return before, after
