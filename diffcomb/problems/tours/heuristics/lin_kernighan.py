"""Upper bounds: a compiled Lin-Kernighan local search with segment kicks, on any real costs.

A tour is an array `tour` of cities and its inverse `place`. Removing (t1, t2) leaves a Hamiltonian
path; each step joins its end t2 to a neighbour t3 and drops the edge (t4, t3) before it, one
reversal of the array (Lin & Kernighan 1973, in the flip form of Applegate, Cook & Rohe 2003).
Kicks are double bridges of three short segments (Martin, Otto & Felten 1991), kept when not worse or hardly.
"""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.heuristics.xorshift import FIRST, next_word

#: neighbours tried at the first step of a move; afterwards only the best one
_BREADTH = 3
_MAX_DEPTH = 6
#: a kick may make the tour worse by this much of the spread of near neighbours' costs, ever less
_HEAT = 0.07


@compiled
def nearest_lists(cost: np.ndarray, size: int) -> np.ndarray:
    """(N, size) int32: the cheapest neighbours of each city, cheapest first."""
    n = cost.shape[0]
    lists = np.empty((n, size), dtype=np.int32)
    for city in range(n):
        count = 0
        for other in range(n):
            if other == city:
                continue
            if count == size and cost[city, other] >= cost[city, lists[city, size - 1]]:
                continue
            k = count if count < size else size - 1
            while k > 0 and cost[city, lists[city, k - 1]] > cost[city, other]:
                lists[city, k] = lists[city, k - 1]
                k -= 1
            lists[city, k] = other
            count = min(count + 1, size)
    return lists


@compiled
def tour_cost(cost: np.ndarray, tour: np.ndarray) -> float:
    """Sum of the N edges of a closed tour."""
    total = cost[tour[-1], tour[0]]
    for i in range(len(tour) - 1):
        total += cost[tour[i], tour[i + 1]]
    return total


@compiled
def nearest_neighbour_tour(cost: np.ndarray, start: int) -> np.ndarray:
    """From `start` always to the cheapest city not seen yet."""
    n = cost.shape[0]
    tour = np.empty(n, dtype=np.int32)
    seen = np.zeros(n, dtype=np.bool_)
    tour[0] = start
    seen[start] = True
    for i in range(1, n):
        best, best_cost = -1, np.inf
        for city in range(n):
            if not seen[city] and cost[tour[i - 1], city] < best_cost:
                best, best_cost = city, cost[tour[i - 1], city]
        tour[i] = best
        seen[best] = True
    return tour


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
def _move(
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
        for depth in range(_MAX_DEPTH):
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
def _insert_segment(
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


@compiled
def _descend(
    cost: np.ndarray,
    near: np.ndarray,
    tour: np.ndarray,
    place: np.ndarray,
    queue: np.ndarray,
    waiting: np.ndarray,
    queued: int,
    eps: float,
    flips: np.ndarray,
) -> float:
    """Apply moves at the queued cities until none of them gains; the total gain."""
    n = len(tour)
    total, head = 0.0, 0
    while queued > 0:
        city = queue[head]
        head = (head + 1) % n
        queued -= 1
        waiting[city] = False
        while True:
            gain = 0.0
            for step in (1, -1):
                gain = _move(cost, near, tour, place, city, step, flips, eps)
                if gain > 0.0:
                    break
            if gain > 0.0:
                k = 0
                while flips[k, 0] >= 0:
                    for column in range(3):
                        touched = flips[k, column]
                        if not waiting[touched] and touched != city:
                            waiting[touched] = True
                            queue[(head + queued) % n] = touched
                            queued += 1
                    k += 1
            else:
                around = (tour[(place[city] - 1) % n], tour[(place[city] + 1) % n])
                gain = _insert_segment(cost, near, tour, place, city, eps)
                if gain > 0.0:
                    for touched in (*around, tour[(place[city] - 1) % n], tour[(place[city] + 1) % n]):
                        if not waiting[touched] and touched != city:
                            waiting[touched] = True
                            queue[(head + queued) % n] = touched
                            queued += 1
            if gain <= 0.0:
                break
            total += gain
    return total


@compiled
def improve_tour(
    cost: np.ndarray, near: np.ndarray, tour: np.ndarray, kicks: int, seed: int, eps: float
) -> float:
    """Iterated local search in place; the cost of the final tour.

    Args:
        cost: (N, N) symmetric float64.
        near: (N, K) candidate neighbours, ascending in cost (see `nearest_lists`).
        tour: (N,) int32, the start, overwritten by the best tour found.
        kicks: double bridges tried; 0 = descend only. More kicks, better tours: 50 N is usually
            optimal up to 50 cities.
        seed: of the kicks.
        eps: gains below this count as rounding.
    """
    n = len(tour)
    place = np.empty(n, dtype=np.int32)
    queue = np.empty(n, dtype=np.int32)
    waiting = np.ones(n, dtype=np.bool_)
    flips = np.empty((_MAX_DEPTH + 1, 3), dtype=np.int32)
    for k in range(n):
        place[tour[k]] = k
        queue[k] = tour[k]
    if n < 5:
        return tour_cost(cost, tour)
    _descend(cost, near, tour, place, queue, waiting, n, eps, flips)
    if n < 8 or kicks == 0:
        return tour_cost(cost, tour)
    current = kept_cost = best_cost = tour_cost(cost, tour)
    kept, best = tour.copy(), tour.copy()
    heat = _HEAT * _spread(cost, near)
    state = np.uint64(seed * 2 + FIRST)
    longest = min(50, (n - 2) // 3)
    for kick in range(kicks):
        draws = np.empty(4, dtype=np.int64)
        for k in range(4):
            state = next_word(state)
            draws[k] = np.int64(state >> np.uint64(2))
        start = draws[0] % n
        first, second = 1 + draws[1] % longest, 1 + draws[2] % longest
        segment = np.empty(first + second + 2, dtype=np.int32)
        for k in range(first + second + 2):
            segment[k] = tour[(start + k) % n]
        # ... s | A | B | e ...  becomes  ... s | B | A | e ...
        delta = (
            cost[segment[0], segment[first + 1]]
            + cost[segment[first + second], segment[1]]
            + cost[segment[first], segment[first + second + 1]]
            - cost[segment[0], segment[1]]
            - cost[segment[first], segment[first + 1]]
            - cost[segment[first + second], segment[first + second + 1]]
        )
        for k in range(first + second):
            city = segment[first + 1 + k] if k < second else segment[1 + k - second]
            spot = (start + 1 + k) % n
            tour[spot] = city
            place[city] = spot
        ends = (segment[0], segment[1], segment[first], segment[first + 1])
        queued = 0
        for city in (*ends, segment[first + second], segment[first + second + 1]):
            if not waiting[city]:
                waiting[city] = True
                queue[queued] = city
                queued += 1
        current += delta - _descend(cost, near, tour, place, queue, waiting, queued, eps, flips)
        cooled = heat * (1.0 - kick / kicks)
        if current <= kept_cost + cooled * float(draws[3] % 1024) / 1024.0:
            kept[:] = tour
            kept_cost = current
            if current < best_cost - eps:
                best_cost = current
                best[:] = tour
        else:
            current = kept_cost
            for k in range(n):
                tour[k] = kept[k]
                place[kept[k]] = k
    tour[:] = best
    return tour_cost(cost, tour)


@compiled
def _spread(cost: np.ndarray, near: np.ndarray) -> float:
    """Mean over cities of the cost of the last near neighbour less that of the first."""
    total = 0.0
    for city in range(len(near)):
        total += abs(cost[city, near[city, -1]] - cost[city, near[city, 0]])
    return total / len(near)
