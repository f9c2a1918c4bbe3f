"""Moves of the local search, compiled: chains of reversals, and segments moved elsewhere.

A tour is an array `tour` of cities and its inverse `place`. Removing (t1, t2) leaves a Hamiltonian
path; each step joins its end t2 to a neighbour t3 and drops the edge (t4, t3) before it, one
reversal of the array (Lin & Kernighan 1973, in the flip form of Applegate, Cook & Rohe 2003).
"""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled

#: neighbours tried at the first step of a move; afterwards only the best one
_BREADTH = 3
#: reversals of a move
MAX_DEPTH = 6


@compiled
def _reverse(tour: np.ndarray, place: np.ndarray, first: int, last: int, direction: int) -> int:
    """Reverse the path from first to last, read in `direction` (1 or -1) of the array.

    The complement is reversed instead when it is shorter; the cycle is the same, read the other way.
    Returns the direction in which the result is to be read.
    """
    n = len(tour)
    i, j = (place[first], place[last]) if direction == 1 else (place[last], place[first])
    length = j - i + 1
    if length <= 0:
        length += n
    if 2 * length > n:
        i, j, length = (j + 1) % n, (i - 1 + n) % n, n - length
        direction = -direction
    for _ in range(length // 2):
        a, b = tour[i], tour[j]
        tour[i], tour[j] = b, a
        place[b], place[a] = i, j
        i = i + 1 if i + 1 < n else 0
        j = j - 1 if j > 0 else n - 1
    return direction


@compiled
def chain_of_reversals(
    cost: np.ndarray,
    near: np.ndarray,
    tour: np.ndarray,
    place: np.ndarray,
    t1: int,
    step: int,
    flips: np.ndarray,
    eps: float,
) -> float:
    """One move that opens the tour at t1 and its neighbour in direction `step` (1 or -1).

    Returns the gain and leaves its reversals in `flips` (ended by -1); 0 and the tour unchanged if
    no sequence of reversals gains more than eps.
    """
    n = len(tour)
    width = near.shape[1]
    for alternative in range(min(_BREADTH, width)):
        t2 = tour[(place[t1] + step) % n]
        gain = cost[t1, t2]  # of the open path that ends in t2
        best, best_count, count = eps, 0, 0
        toward = step  # array direction from t1 to t2
        for depth in range(MAX_DEPTH):
            t3, t4, value = -1, -1, -np.inf
            for k in range(width):
                candidate = near[t2, k]
                if gain - cost[t2, candidate] <= eps:
                    break
                if candidate == t1 or (depth == 0 and k != alternative):
                    continue
                dropped = tour[(place[candidate] - toward) % n]
                if dropped != t2 and cost[dropped, candidate] - cost[t2, candidate] > value:
                    t3, t4 = candidate, dropped
                    value = cost[dropped, candidate] - cost[t2, candidate]
            if t3 < 0:
                break
            toward = _reverse(tour, place, t2, t4, toward)
            flips[count, 0], flips[count, 1] = t4, t2
            flips[count, 2] = t3
            count += 1
            gain += value
            t2 = t4
            if gain - cost[t2, t1] > best:
                best, best_count = gain - cost[t2, t1], count
        while count > best_count:
            count -= 1
            toward = _reverse(tour, place, flips[count, 0], flips[count, 1], toward)
        if best_count > 0:
            flips[best_count, 0] = -1
            return best
    return 0.0


@compiled
def move_segment(
    cost: np.ndarray, near: np.ndarray, tour: np.ndarray, place: np.ndarray, city: int, eps: float
) -> float:
    """Or-opt: move 1 to 3 cities, the first of them `city`, beside a near neighbour of `city`."""
    n = len(tour)
    for length in range(1, min(4, n - 2)):
        for step in (1, -1):
            start = place[city]
            end = tour[(start + step * (length - 1)) % n]
            before, after = tour[(start - step) % n], tour[(start + step * length) % n]
            removed = cost[before, city] + cost[end, after] - cost[before, after]
            for k in range(near.shape[1]):
                other = near[city, k]
                if ((place[other] - start) * step) % n < length:
                    continue
                for side in (1, -1):
                    beyond = tour[(place[other] + side) % n]
                    if ((place[beyond] - start) * step) % n < length:
                        continue
                    gain = removed - cost[other, city] - cost[end, beyond] + cost[other, beyond]
                    if gain > eps:
                        _splice(tour, place, start, step, length, other, beyond)
                        return gain
    return 0.0


@compiled
def _splice(
    tour: np.ndarray, place: np.ndarray, start: int, step: int, length: int, other: int, beyond: int
) -> None:
    """Rebuild the tour with the segment between `other` and `beyond`, its first city beside `other`."""
    n = len(tour)
    segment = np.empty(length, dtype=tour.dtype)
    for k in range(length):
        segment[k] = tour[(start + step * k) % n]
    rest = np.empty(n - length, dtype=tour.dtype)
    for k in range(n - length):
        rest[k] = tour[(start + step * (length + k)) % n]
    i = 0
    for k in range(n - length):
        tour[i] = rest[k]
        i += 1
        following = rest[k + 1] if k + 1 < n - length else rest[0]
        if rest[k] == other and following == beyond:
            for s in range(length):
                tour[i] = segment[s]
                i += 1
        elif rest[k] == beyond and following == other:
            for s in range(length - 1, -1, -1):
                tour[i] = segment[s]
                i += 1
    for k in range(n):
        place[tour[k]] = k
