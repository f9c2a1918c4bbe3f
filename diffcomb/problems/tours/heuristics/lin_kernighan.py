"""Upper bounds: a compiled Lin-Kernighan local search with segment kicks, on any real costs.

Kicks are double bridges of three short segments (Martin, Otto & Felten 1991), kept when not worse or hardly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.heuristics.moves import MAX_DEPTH, chain_of_reversals, move_segment
from diffcomb.problems.tours.heuristics.neighbours import spread, tour_cost
from diffcomb.problems.tours.heuristics.xorshift import FIRST, next_word

#: a kick may make the tour worse by this much of the spread of near neighbours' costs, ever less
_HEAT = 0.07
#: cities between the first and the last of a kick's segments at most
_LONGEST = 50
_ENDLESS = 2**62


class LocalSearch(NamedTuple):
    """A search under way.

    cost (N, N) symmetric, near (N, K): candidate neighbours, ascending in cost. tour, place (N,): the tour
    and its inverse, at the end the best one. queue, waiting (N,): cities to look at, in a ring. flips: of
    the last move. segment: of the last kick. kept, best (N,): the tour kicked, the best one. values: costs
    of the tour, of `kept` and of `best`. counts: first in the queue, how many wait, kicks done (-1 before
    the first descent ends). word: of the random numbers.
    """

    cost: np.ndarray
    near: np.ndarray
    tour: np.ndarray
    place: np.ndarray
    queue: np.ndarray
    waiting: np.ndarray
    flips: np.ndarray
    segment: np.ndarray
    kept: np.ndarray
    best: np.ndarray
    values: np.ndarray
    counts: np.ndarray
    word: np.ndarray


@compiled
def local_search(cost: np.ndarray, near: np.ndarray, tour: np.ndarray, seed: int) -> LocalSearch:
    """From `tour` (N,) int32, which is overwritten by better ones. seed: of the kicks."""
    n = len(tour)
    place = np.empty(n, dtype=np.int32)
    for k in range(n):
        place[tour[k]] = k
    flips = np.empty((MAX_DEPTH + 1, 3), dtype=np.int32)
    segment = np.empty(2 * _LONGEST + 2, dtype=np.int32)
    counts = np.array([0, n, -1])
    word = np.array([np.uint64(seed * 2 + FIRST)])
    return LocalSearch(
        cost, near, tour, place, tour.copy(), np.ones(n, dtype=np.bool_), flips, segment,
        tour.copy(), tour.copy(), np.zeros(3), counts, word,
    )  # fmt: skip


@compiled
def improve(search: LocalSearch, kicks: int, eps: float, budget: int) -> bool:
    """Descend, then kick and descend again; resumable.

    Args:
        kicks: double bridges in all; 0 = descend only. More kicks, better tours: 50 N is usually
            optimal up to 50 cities.
        eps: gains below this count as rounding.
        budget: moves or kicks of this call, about.

    Returns:
        whether all kicks are done; the tour is the best one then.
    """
    counts, values, tour = search.counts, search.values, search.tour
    n = len(tour)
    if n < 5:
        return True
    if counts[2] < 0:
        _descend(search, eps, budget)
        if counts[1] > 0:
            return False
        search.kept[:] = tour
        search.best[:] = tour
        values[:] = tour_cost(search.cost, tour)
        counts[2] = 0
    if n < 8:
        return True
    heat = _HEAT * spread(search.cost, search.near)
    while counts[2] < kicks:
        if budget <= 0:
            return False
        budget -= 1
        delta, draw = _kick(search)
        values[0] += delta - _descend(search, eps, _ENDLESS)
        cooled = heat * (1.0 - counts[2] / kicks)
        counts[2] += 1
        if values[0] <= values[1] + cooled * float(draw % 1024) / 1024.0:
            search.kept[:] = tour
            values[1] = values[0]
            if values[0] < values[2] - eps:
                values[2] = values[0]
                search.best[:] = tour
        else:
            values[0] = values[1]
            for k in range(n):
                tour[k] = search.kept[k]
                search.place[tour[k]] = k
    tour[:] = search.best
    return True


@compiled
def _descend(search: LocalSearch, eps: float, budget: int) -> float:
    """Apply moves at the queued cities until none of them gains, `budget` moves at most; the total gain."""
    cost, near, tour, place, queue = search.cost, search.near, search.tour, search.place, search.queue
    waiting, flips, counts = search.waiting, search.flips, search.counts
    n = len(tour)
    total, head, queued = 0.0, counts[0], counts[1]
    while queued > 0 and budget > 0:
        city = queue[head]
        head = (head + 1) % n
        queued -= 1
        waiting[city] = False
        while True:
            gain = 0.0
            for step in (1, -1):
                gain = chain_of_reversals(cost, near, tour, place, city, step, flips, eps)
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
                gain = move_segment(cost, near, tour, place, city, eps)
                if gain > 0.0:
                    for touched in (*around, tour[(place[city] - 1) % n], tour[(place[city] + 1) % n]):
                        if not waiting[touched] and touched != city:
                            waiting[touched] = True
                            queue[(head + queued) % n] = touched
                            queued += 1
            if gain <= 0.0:
                break
            total += gain
            budget -= 1
    counts[0], counts[1] = head, queued
    return total


@compiled
def _kick(search: LocalSearch) -> tuple[float, int]:
    """... s | A | B | e ...  becomes  ... s | B | A | e ...; its cities wait.

    Returns:
        by how much the tour is longer, and a random number that is left over.
    """
    cost, tour, place, segment = search.cost, search.tour, search.place, search.segment
    n = len(tour)
    longest = min(_LONGEST, (n - 2) // 3)
    state = search.word[0]
    draws = (np.int64(0), np.int64(0), np.int64(0), np.int64(0))
    for _ in range(4):
        state = next_word(state)
        draws = (draws[1], draws[2], draws[3], np.int64(state >> np.uint64(2)))
    search.word[0] = state
    start, first, second = draws[0] % n, 1 + draws[1] % longest, 1 + draws[2] % longest
    for k in range(first + second + 2):
        segment[k] = tour[(start + k) % n]
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
    queued = 0
    ends = (segment[0], segment[1], segment[first], segment[first + 1])
    for city in (*ends, segment[first + second], segment[first + second + 1]):
        if not search.waiting[city]:
            search.waiting[city] = True
            search.queue[queued] = city
            queued += 1
    search.counts[0], search.counts[1] = 0, queued
    return delta, draws[3]  # type: ignore[return-value]
