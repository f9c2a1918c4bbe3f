"""Shortest augmenting paths for assignments, compiled (Crouse 2016, after Jonker & Volgenant 1987).

Workers join one by one; each takes a cheapest alternating path to a free job under reduced costs
c_ij - u_i - v_j >= 0, which are 0 on the matched pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled

#: costs further apart than this ratio are of different orders
_APART = 128.0
#: rounding that may remain, relative to the costs of the lowest order
_ROUNDING = 1e-10


class Matched(NamedTuple):
    """Workers below next[0] are matched: job_of, worker_of (N,), -1 where none; prices u, v (N,).

    path, distance, remaining (N,), seen (2, N): scratch.
    """

    next: np.ndarray
    job_of: np.ndarray
    worker_of: np.ndarray
    u: np.ndarray
    v: np.ndarray
    path: np.ndarray
    distance: np.ndarray
    remaining: np.ndarray
    seen: np.ndarray

    @staticmethod
    def nobody(size: int) -> Matched:
        ends = [np.full(size, -1) for _ in range(2)]
        prices = [np.zeros(size) for _ in range(2)]
        path, remaining = np.empty(size, np.int64), np.empty(size, np.uint32)
        return Matched(  # type: ignore[call-arg]
            np.zeros(1, np.int64), *ends, *prices, path, np.empty(size), remaining,
            np.empty((2, size), np.bool_),
        )  # fmt: skip


@compiled
def augment(cost: np.ndarray, matched: Matched, budget: int) -> int:
    """Match the next workers until all are, for about `budget` entries of cost (N, N); entries looked at."""
    next_, job_of, worker_of, u, v, path, distance, remaining, seen = matched
    n, work = len(u), 0
    while next_[0] < n and work < budget:
        worker, left = next_[0], n
        for k in range(n):
            remaining[k] = n - k - 1
        seen[:] = False
        distance[:] = np.inf
        current, lowest, sink = worker, 0.0, -1
        while sink < 0:
            seen[0, current] = True
            nearest, least = 0, np.inf
            for k in range(left):
                j = remaining[k]
                reached = lowest + cost[current, j] - u[current] - v[j]
                if reached < distance[j]:
                    path[j] = current
                    distance[j] = reached
                # of several nearest jobs a free one ends the search
                if distance[j] < least or (distance[j] == least and worker_of[j] < 0):
                    nearest, least = k, distance[j]
            work += left
            lowest = least
            job = np.int64(remaining[nearest])
            if worker_of[job] < 0:
                sink = job  # type: ignore[assignment]
            else:
                current = worker_of[job]
            seen[1, job] = True
            left -= 1
            remaining[nearest] = remaining[left]
        u[worker] += lowest
        for i in range(n):
            if seen[0, i] and i != worker:
                u[i] += lowest - distance[job_of[i]]
        for j in range(n):
            if seen[1, j]:
                v[j] -= lowest - distance[j]
        while True:
            i = path[sink]
            worker_of[sink] = i
            job_of[i], sink = sink, job_of[i]
            if i == worker:
                break
        next_[0] += 1
    return work


@compiled
def assign(costs: np.ndarray, matched: Matched, z: np.ndarray, row: int, budget: int) -> tuple[int, bool]:
    """Assignments z (batch, N * N) of least costs, row after row from `row` on; resumable.

    Returns:
        the row to go on with, the number of rows once all are done; and whether the row before it may owe
        its answer to rounding, which ends the call as well.
    """
    n = len(matched.u)
    while row < len(costs):
        cost = costs[row].reshape(n, n)
        budget -= augment(cost, matched, budget)
        if matched.next[0] < n:
            break
        for i in range(n):
            z[row, i * n + matched.job_of[i]] = 1.0
        doubtful = _is_doubtful(cost, matched)
        _release(matched)
        row += 1
        if doubtful:
            return row, True
        if budget <= 0:
            break
    return row, False


@compiled
def _release(matched: Matched) -> None:
    """Nobody is matched any more."""
    matched.next[0] = 0
    matched.job_of[:] = -1
    matched.worker_of[:] = -1
    matched.u[:] = 0.0
    matched.v[:] = 0.0


@compiled
def _is_doubtful(cost: np.ndarray, matched: Matched) -> bool:
    """Whether some pairs matched are so cheap beside others that they drown in the prices' rounding."""
    n = len(matched.u)
    used = np.empty(n)
    largest = 0.0
    for i in range(n):
        used[i] = abs(cost[i, matched.job_of[i]])
        largest = max(largest, used[i], abs(matched.u[i]), abs(matched.v[i]))
    rounding = largest * n * 2.0**-52
    if not rounding < np.inf:
        return True
    used.sort()
    for k in range(n - 1):
        if used[k] > 0.0 and used[k + 1] > _APART * used[k]:
            return rounding > _ROUNDING * used[k]
    return False
