"""Depth-first branch and bound for multi-row knapsacks, compiled; a batch at a time.

Weights are whole numbers, so no sack is judged by a rounded sum. Values are sums of two float64 numbers, a
whole one in units of 2^-52 of their sum and what it misses: rewards at 1e15 do not hide ordinary values.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.knapsack.surrogate import surrogate_multipliers, surrogate_row
from diffcomb.problems.knapsack.whole_units import WholeUnits

#: room of the surrogate row
_SURROGATE_ROOM = 2.0**51
#: a bound this close to the best sack, relative to the ordinary values, is no better
_TIE = 1e-13
#: the fraction of an item that a bound takes, safe from rounding
_ROUNDED_UP = 1.0 + 2.0**-50
#: what the root costs, in nodes
_BEGINNING = 100
#: values further apart than this ratio are of different orders
_APART = 128.0


class Search(NamedTuple):
    """One instance under way.

    items (n,): those that may be taken, best value per surrogate weight first. high, low, surrogate (n,):
    value and surrogate weight in that order. taken, best_taken (n,): bool in that order. room (rows,): left.
    value, best (2,): of the items taken and of the best sack, high and low. scalars (2,): surrogate room
    left, and what counts as a tie. places (4,): number of items, depth, whether it descends, nodes.
    """

    items: np.ndarray
    high: np.ndarray
    low: np.ndarray
    surrogate: np.ndarray
    taken: np.ndarray
    best_taken: np.ndarray
    room: np.ndarray
    value: np.ndarray
    best: np.ndarray
    scalars: np.ndarray
    places: np.ndarray

    @staticmethod
    def empty(rows: int, n: int) -> Search:
        words = [np.empty(n) for _ in range(3)]
        flags = [np.zeros(n, dtype=np.bool_) for _ in range(2)]
        sums = [np.zeros(2) for _ in range(3)]
        items, places = np.empty(n, dtype=np.int64), np.zeros(4, dtype=np.int64)
        return Search(items, *words, *flags, np.empty(rows), *sums, places)  # type: ignore[call-arg]

    def drop(self) -> None:
        """Leave the instance under way."""
        self.places[3] = 0


@compiled
def _begin(values: np.ndarray, units: WholeUnits, search: Search) -> None:
    """The root of max values'z."""
    weights, room, relative = units
    rows, n = weights.shape
    largest, smallest, count = 0.0, np.inf, 0
    gains = np.zeros(n)
    for j in range(n):
        fits = values[j] > 0.0
        for r in range(rows):
            fits = fits and weights[r, j] <= room[r]
        if fits:
            gains[j] = values[j]
            largest, smallest = max(largest, values[j]), min(smallest, values[j])
            count += 1
    places = search.places
    places[0], places[1], places[2], places[3] = count, 0, 1, 0
    search.value[:] = 0.0
    search.best[:] = 0.0
    search.room[:] = room
    search.taken[:] = False
    search.best_taken[:] = False
    if count == 0:
        return
    exponent = math.frexp(largest)[1]
    for j in range(n):
        gains[j] = math.ldexp(gains[j], -exponent)
    u = surrogate_multipliers(gains, relative)
    row = np.empty(n)
    surrogate_row(u, relative, _SURROGATE_ROOM, row)
    scale = u.sum() / _SURROGATE_ROOM
    order = np.argsort(-gains / (row * scale + 1e-12), kind="mergesort")
    k = 0
    # sums of n whole numbers stay below 2^53
    spare = 52 - math.frexp(float(count))[1]
    for j in order:
        if gains[j] > 0.0:
            value = math.ldexp(gains[j], spare)
            search.items[k] = j
            search.high[k] = np.rint(value)
            search.low[k] = value - search.high[k]
            search.surrogate[k] = row[j]
            k += 1
    search.scalars[0] = _SURROGATE_ROOM
    ordinary = gains.sum() if largest <= _APART * smallest else _ordinary_sum(gains)
    search.scalars[1] = _TIE * math.ldexp(ordinary, spare)


@compiled
def _ordinary_sum(gains: np.ndarray) -> float:
    """Sum of the positive entries below the first wide gap between their magnitudes."""
    total, before = 0.0, np.inf
    for gain in np.sort(gains):
        if gain > _APART * before:
            break
        if gain > 0.0:
            total += gain
            before = gain
    return total


@compiled
def _advance(units: WholeUnits, search: Search, budget: int) -> int:
    """Work for `budget` nodes at most; how many were visited, fewer only at the end of the search.

    At each node the bound is the fractional optimum of the surrogate row. An item is taken before it is
    left, so the first leaf is the greedy sack.
    """
    items, high, low, surrogate = search.items, search.high, search.low, search.surrogate
    taken, room, weights = search.taken, search.room, units.weights
    rows = len(room)
    places, value, best, scalars = search.places, search.value, search.best, search.scalars
    count, depth, descending = places[0], places[1], places[2] == 1
    value_high, value_low, best_high, best_low = value[0], value[1], best[0], best[1]
    left, tie = scalars[0], scalars[1]
    nodes = 0
    while depth >= 0:
        if descending:
            if nodes >= budget:
                break
            nodes += 1
            # the best sack cannot be beaten by more than this
            bound, rest, space = value_high - best_high, value_low - best_low, left
            for k in range(depth, count):
                if surrogate[k] > space:
                    rest += high[k] * (space / surrogate[k]) * _ROUNDED_UP
                    break
                bound += high[k]
                rest += low[k]
                space -= surrogate[k]
            if depth == count or bound + rest <= tie:
                if (value_high - best_high) + (value_low - best_low) > 0.0:
                    best_high, best_low = value_high, value_low
                    search.best_taken[:] = taken
                descending = False
                continue
            j = items[depth]
            fits = True
            for r in range(rows):
                fits = fits and weights[r, j] <= room[r]
            if fits:
                taken[depth] = True
                value_high += high[depth]
                value_low += low[depth]
                left -= surrogate[depth]
                for r in range(rows):
                    room[r] -= weights[r, j]
                if (value_high - best_high) + (value_low - best_low) > 0.0:
                    best_high, best_low = value_high, value_low
                    search.best_taken[:] = taken
            depth += 1
        else:
            # back to the last item taken, and leave it
            depth -= 1
            while depth >= 0 and not taken[depth]:
                depth -= 1
            if depth < 0:
                break
            j = items[depth]
            taken[depth] = False
            value_high -= high[depth]
            value_low -= low[depth]
            left += surrogate[depth]
            for r in range(rows):
                room[r] += weights[r, j]
            depth += 1
            descending = True
    places[1], places[2], places[3] = depth, int(descending), places[3] + nodes
    value[0], value[1], best[0], best[1] = value_high, value_low, best_high, best_low
    scalars[0] = left
    return nodes


@compiled
def search_knapsacks(
    costs: np.ndarray,
    units: WholeUnits,
    search: Search,
    z: np.ndarray,
    row: int,
    budget: int,
    node_limit: int,
) -> int:
    """min costs'z of row after row (batch, n) from `row` on, for about `budget` nodes; resumable.

    Args:
        search: of `row` if that is under way (it has visited nodes), else anything.
        z: (batch, n) out, the best sacks.

    Returns:
        the row to go on with, the number of rows once all are done; -1 - row if one visited `node_limit`
        nodes without a proof.
    """
    while row < len(costs):
        if search.places[3] == 0:
            _begin(-costs[row], units, search)
            budget -= _BEGINNING
        budget -= _advance(units, search, max(1, min(budget, node_limit - search.places[3])))
        z[row] = 0.0
        for k in range(search.places[0]):
            if search.best_taken[k]:
                z[row, search.items[k]] = 1.0
        if search.places[1] >= 0:
            return -1 - row if search.places[3] >= node_limit else row
        search.places[3] = 0
        row += 1
        if budget <= 0:
            break
    return row
