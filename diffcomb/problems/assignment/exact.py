"""Assignments beside forbidden and forced pairs that drown the others in float64."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from diffcomb.oracles.clock import Clock
from diffcomb.oracles.magnitudes import Extremes, ordinary_ceilings, summable
from diffcomb.problems.assignment.augment import Matched, augment

#: entries of the cost matrix between two looks at the clock
ENTRIES = 5_000_000


def assign_exactly(cost: np.ndarray, clock: Clock) -> np.ndarray | None:
    """The best job of each worker (N,) for costs (N, N) of any magnitudes; None once time is up.

    First with extreme costs lowered to what no saving pays for; if that decides nothing, in whole numbers.
    """
    size, (scaled, _) = len(cost), summable(cost)
    for ceiling in ordinary_ceilings(scaled):
        extremes = Extremes.of(scaled, ceiling)
        if extremes.ordinary.sum() < size:
            continue
        price = extremes.price(scaled, size)
        matched = Matched.nobody(size)
        while matched.next[0] < size:
            augment(extremes.clipped(scaled, price), matched, ENTRIES)
            if clock.is_up():
                return None
        z = np.zeros(cost.shape)
        z[np.arange(size), matched.job_of] = 1.0
        if extremes.settled(z) or extremes.counted(scaled, price, size):
            return matched.job_of
    return _assign_in_whole_numbers(_whole_numbers(scaled), clock)


def _whole_numbers(costs: np.ndarray) -> np.ndarray:
    """costs times a power of two, as Python's integers."""
    fractions = [Fraction(cost) for cost in costs.ravel().tolist()]
    scale = max(fraction.denominator for fraction in fractions)
    whole = np.empty(costs.size, dtype=object)
    whole[:] = [int(fraction * scale) for fraction in fractions]
    return whole.reshape(costs.shape)


def _assign_in_whole_numbers(cost: np.ndarray, clock: Clock) -> np.ndarray | None:
    """`augment` for Python's integers (N, N), a row of the matrix at a time."""
    size = len(cost)
    u, v = np.zeros(size, dtype=object), np.zeros(size, dtype=object)
    job_of, worker_of = np.full(size, -1), np.full(size, -1)
    beyond = int(np.abs(cost).max()) * (4 * size + 4) + 1
    for worker in range(size):
        distance, path = np.full(size, beyond, dtype=object), np.full(size, -1)
        seen, workers = np.zeros(size, dtype=bool), [worker]
        lowest, sink = 0, -1
        while sink < 0:
            if clock.is_up():
                return None
            i = workers[-1]
            reached = lowest + cost[i] - u[i] - v
            closer = ~seen & (reached < distance).astype(bool)
            distance[closer], path[closer] = reached[closer], i
            job = int(np.where(seen, beyond + 1, distance).argmin())
            lowest, seen[job] = distance[job], True
            if worker_of[job] < 0:
                sink = job
            else:
                workers.append(int(worker_of[job]))
        u[worker] += lowest
        for i in workers[1:]:
            u[i] += lowest - distance[job_of[i]]
        v[seen] -= lowest - distance[seen]
        while True:
            i = int(path[sink])
            worker_of[sink] = i
            job_of[i], sink = sink, job_of[i]
            if i == worker:
                break
    return job_of
