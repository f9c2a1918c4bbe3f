"""Facets of small shrunk maps that cut off x (local cuts; Applegate, Bixby, Chvátal & Cook 2001).

The cities are merged into K groups: a few neighbouring ones that matter and one for the rest. Every tour
becomes a closed walk through the groups, so what all walks satisfy holds for all tours,

    sum_{u < v} w(group u, group v) x_uv >= rhs,

and the most violated such inequality comes from a program over the walks (`walk_hull`). It is scaled to
integers and its right-hand side is the cheapest walk in integers: valid without rounding errors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.oracles.clock import Clock
from diffcomb.problems.tours.cuts.closed_walks import MOST_NODES
from diffcomb.problems.tours.cuts.cuts import ShrunkCut
from diffcomb.problems.tours.cuts.groups import POSITIVE, grow, merge
from diffcomb.problems.tours.cuts.lifting import lift, whole_scale
from diffcomb.problems.tours.cuts.walk_hull import most_violated
from diffcomb.problems.tours.heuristics.xorshift import FIRST, next_word

#: a facet is dropped unless it is violated by this much of its right-hand side
_MIN_VIOLATION = 5e-4
#: cuts of one call
_LIMIT = 60
#: hulls between two looks at the clock times 2^groups
_HULLS = 2**16


class Shrunk(NamedTuple):
    """label (N,): the group of each city. value, columns (G, G): sum and number of edges between groups."""

    label: np.ndarray
    value: np.ndarray
    columns: np.ndarray


class Found(NamedTuple):
    """Cuts found so far: groups (limit, N), weights (limit, K, K), rhs and violation (limit,).

    counts: cuts, and groups that have been grown from. keys, seen (G,): words of the groups and of the
    neighbourhoods grown. word: of the random numbers.
    """

    groups: np.ndarray
    weights: np.ndarray
    rhs: np.ndarray
    violation: np.ndarray
    counts: np.ndarray
    keys: np.ndarray
    seen: np.ndarray
    word: np.ndarray


def violated_local_cuts(
    support: tuple[np.ndarray, np.ndarray, np.ndarray],
    num_cities: int,
    size: int,
    mode: int,
    rule: int,
    clock: Clock | None = None,
) -> list[ShrunkCut]:
    """Local cuts over neighbourhoods of `size` groups around every group, the most violated first.

    Args:
        support: tails and heads of edges with their values, degrees 2 and no violated subtours; edges at
            0 matter for the order in which coefficients off the support are made small.
        size: groups of a neighbourhood, the rest included, up to 16. mode: see `merge`.
        rule: the next group of a neighbourhood is the one most attached to it (0), one nearest to the
            seed (1), or drawn, most attached ones rather (2).
        clock: the cuts found until it is up.
    """
    label, count = merge(num_cities, *support, mode)
    if count <= size:
        return []
    point, found = _start(label, count, *support, size)
    while not _search(point, found, size, rule, 1 + (_HULLS >> size)):
        if clock is not None and clock.is_up():
            break
    order = np.argsort(-found.violation[: found.counts[0]], kind="stable")
    return [ShrunkCut(found.groups[k].copy(), found.weights[k].copy(), float(found.rhs[k])) for k in order]


@compiled
def _start(
    label: np.ndarray, count: int, tails: np.ndarray, heads: np.ndarray, x: np.ndarray, size: int
) -> tuple[Shrunk, Found]:
    """The point between `count` groups, and no cut."""
    between, columns = np.zeros((count, count)), np.zeros((count, count))
    for e in range(len(x)):
        a, b = label[tails[e]], label[heads[e]]
        if a != b:
            between[a, b] += x[e]
            between[b, a] += x[e]
            columns[a, b] += 1.0
            columns[b, a] += 1.0
    keys = np.empty(count, dtype=np.uint64)
    state = np.uint64(FIRST)
    for a in range(count):
        state = next_word(state)
        keys[a] = state
    found = Found(
        np.zeros((_LIMIT, len(label)), dtype=np.uint8),
        np.zeros((_LIMIT, size, size)),
        np.zeros(_LIMIT),
        np.zeros(_LIMIT),
        np.zeros(2, dtype=np.int64),
        keys,
        np.zeros(count, dtype=np.uint64),
        np.array([state]),
    )
    return Shrunk(label, between, columns), found


@compiled
def _search(point: Shrunk, found: Found, size: int, rule: int, hulls: int) -> bool:
    """Grow a neighbourhood around each group, for so many hulls at most; whether all were grown or the
    limit of cuts is reached."""
    between, columns, label = point.value, point.columns, point.label
    counts, seen, keys = found.counts, found.seen, found.keys
    count, k = len(between), size
    table = np.empty((1 << (k - 1), MOST_NODES))
    most = k * (k - 1) // 2
    ends, value, price = np.empty((most, 2), dtype=np.int64), np.empty(most), np.empty(most)
    number = np.empty(count, dtype=np.int64)
    small, zero = np.empty((k, k)), np.empty((k, k))
    while counts[1] < count and counts[0] < _LIMIT:
        if hulls == 0:
            return False
        seed = counts[1]
        counts[1] += 1
        found.word[0] = next_word(found.word[0])
        if not grow(seed, between, k, rule, found.word[0], number):
            continue
        # a neighbourhood is known by the exclusive or of its groups' words
        for a in range(count):
            if number[a] < k - 1:
                seen[seed] ^= keys[a]
        known = False
        for other in range(seed):
            known = known or seen[other] == seen[seed]
        if known:
            continue
        m = _small_map(number, between, columns, small, zero, ends, value)
        if m <= k + 1:  # a ring, or nearly one
            continue
        hulls -= 1
        enough = 1.0 - _MIN_VIOLATION
        if most_violated(k, ends[:m], value[:m], enough, table, price) >= enough:
            continue
        scale = whole_scale(price[:m])
        if scale == 0:
            continue
        cut = counts[0]
        weight = found.weights[cut]
        right = lift(k, ends[:m], price[:m], scale, zero, table, weight)
        left = 0.0
        for e in range(m):
            left += weight[ends[e, 0], ends[e, 1]] * value[e]
        if right - left < _MIN_VIOLATION * right:
            continue
        for v in range(len(label)):
            found.groups[cut, v] = number[label[v]]
        found.rhs[cut], found.violation[cut] = right, (right - left) / right
        counts[0] += 1
    return True


@compiled
def _small_map(
    number: np.ndarray,
    between: np.ndarray,
    columns: np.ndarray,
    small: np.ndarray,
    zero: np.ndarray,
    ends: np.ndarray,
    value: np.ndarray,
) -> int:
    """Sums `small` and `zero` (K, K) of `between` and `columns` by the groups' numbers, upper triangles; the
    count of positive ones, with their ends and values."""
    k = len(small)
    small[:] = 0.0
    zero[:] = 0.0
    for a in range(len(between)):
        if number[a] == k - 1:  # the rest
            continue
        for b in range(len(between)):
            if number[a] < number[b]:
                small[number[a], number[b]] += between[a, b]
                zero[number[a], number[b]] += columns[a, b]
    m = 0
    for u in range(k):
        for v in range(u + 1, k):
            if small[u, v] > POSITIVE:
                ends[m, 0], ends[m, 1], value[m] = u, v, small[u, v]
                m += 1
    return m
