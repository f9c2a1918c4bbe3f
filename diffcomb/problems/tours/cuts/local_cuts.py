"""Facets of small shrunk maps that cut off x (local cuts; Applegate, Bixby, Chvátal & Cook 2001).

The cities are merged into K groups: a few neighbouring ones that matter and one for the rest. Every tour
becomes a closed walk through the groups, so what all walks satisfy holds for all tours,

    sum_{u < v} w(group u, group v) x_uv >= rhs,

and the most violated such inequality comes from a program over the walks (`walk_hull`). It is scaled to
integers and its right-hand side is the cheapest walk in integers: valid without rounding errors.
"""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.cuts.closed_walks import MOST_NODES, NO_EDGE, cheapest_walk, uses_of_cheapest
from diffcomb.problems.tours.cuts.cuts import ShrunkCut
from diffcomb.problems.tours.cuts.walk_hull import most_violated
from diffcomb.problems.tours.heuristics.xorshift import FIRST, next_word
from diffcomb.problems.tours.subtour import find

#: values of x above this count
_POSITIVE = 1e-7
#: a facet is dropped unless it is violated by this much of its right-hand side
_MIN_VIOLATION = 5e-4
#: right-hand sides tried when a facet is scaled to integers
_LARGEST_RHS = 120
#: cuts of one call
_LIMIT = 60


def violated_local_cuts(
    num_cities: int, tails: np.ndarray, heads: np.ndarray, x: np.ndarray, size: int, mode: int, rule: int
) -> list[ShrunkCut]:
    """Local cuts over neighbourhoods of `size` groups around every group, the most violated first.

    Args:
        tails, heads, x: edges with their values, degrees 2 and no violated subtours; edges at 0 matter
            for the order in which coefficients off the support are made small.
        size: groups of a neighbourhood, the rest included, up to 16. mode: see `merge`.
        rule: the next group of a neighbourhood is the one most attached to it (0), one nearest to the
            seed (1), or drawn, most attached ones rather (2).
    """
    label, count = merge(num_cities, tails, heads, x, mode)
    if count <= size:
        return []
    groups, weights, rhs, violation = _search(label, count, tails, heads, x, size, rule)
    order = np.argsort(-violation, kind="stable")
    return [ShrunkCut(groups[k].copy(), weights[k].copy(), float(rhs[k])) for k in order]


@compiled
def merge(
    num_cities: int, tails: np.ndarray, heads: np.ndarray, x: np.ndarray, mode: int
) -> tuple[np.ndarray, int]:
    """Group of every city (N,) and the number of groups.

    Paths of edges at 1 become two groups (mode 0: one end, the rest of the path) or one (mode 1);
    mode 2 goes on merging groups joined by 1 in all.
    """
    n = num_cities
    label = np.arange(n)
    full = np.zeros(n, dtype=np.int64)
    for e in range(len(x)):
        if x[e] > 1.0 - 1e-6:
            full[tails[e]] += 1
            full[heads[e]] += 1
    end_taken = np.zeros(n, dtype=np.bool_)
    whole = np.arange(n)
    for e in range(len(x)):
        if x[e] > 1.0 - 1e-6:
            whole[find(whole, tails[e])] = find(whole, heads[e])
    for e in range(len(x)):
        if x[e] <= 1.0 - 1e-6:
            continue
        u, v = tails[e], heads[e]
        if mode == 0:
            end = u if full[u] == 1 else (v if full[v] == 1 else -1)
            path = find(whole, u)
            if end >= 0 and not end_taken[path]:
                end_taken[path] = True  # this end stays alone
                continue
        label[find(label, u)] = find(label, v)
    again = mode == 2
    while again:
        again = False
        between = np.zeros((n, n))
        for e in range(len(x)):
            u, v = find(label, tails[e]), find(label, heads[e])
            if u != v:
                between[min(u, v), max(u, v)] += x[e]
        for u in range(n):
            for v in range(u + 1, n):
                if between[u, v] > 1.0 - 1e-6 and label[u] == u and label[v] == v:
                    label[u] = v
                    again = True
                    break
    group = np.full(n, -1, dtype=np.int64)
    count = 0
    for v in range(n):
        if label[v] == v:
            group[v] = count
            count += 1
    result = np.empty(n, dtype=np.int64)
    for v in range(n):
        result[v] = group[find(label, v)]
    return result, count


@compiled
def _search(
    label: np.ndarray, count: int, tails: np.ndarray, heads: np.ndarray, x: np.ndarray, size: int, rule: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Grow a neighbourhood around each of the `count` groups; the cuts found.

    Returns: groups (cuts, N), weights (cuts, K, K), right-hand sides and violations (cuts,).
    """
    n, k = len(label), size
    between, columns = np.zeros((count, count)), np.zeros((count, count))
    for e in range(len(x)):
        a, b = label[tails[e]], label[heads[e]]
        if a != b:
            between[a, b] += x[e]
            between[b, a] += x[e]
            columns[a, b] += 1.0
            columns[b, a] += 1.0
    table = np.empty((1 << (k - 1), MOST_NODES))
    most = k * (k - 1) // 2
    ends, value, price = np.empty((most, 2), dtype=np.int64), np.empty(most), np.empty(most)
    groups = np.zeros((_LIMIT, n), dtype=np.uint8)
    weights = np.zeros((_LIMIT, k, k))
    rhs, violation = np.zeros(_LIMIT), np.zeros(_LIMIT)
    seen, keys = np.zeros(count, dtype=np.uint64), np.empty(count, dtype=np.uint64)
    state = np.uint64(FIRST)
    for a in range(count):
        state = next_word(state)
        keys[a] = state
    number = np.empty(count, dtype=np.int64)
    found = 0
    for seed in range(count):
        if found == _LIMIT:
            break
        state = next_word(state)
        if not _grow(seed, between, k, rule, state, number):
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
        small, zero = np.zeros((k, k)), np.zeros((k, k))
        for a in range(count):
            for b in range(count):
                if number[a] != number[b]:
                    small[number[a], number[b]] += between[a, b]
                    zero[number[a], number[b]] += columns[a, b]
        m = 0
        for u in range(k):
            for v in range(u + 1, k):
                if small[u, v] > _POSITIVE:
                    ends[m, 0], ends[m, 1], value[m] = u, v, small[u, v]
                    m += 1
        if m <= k + 1:  # a ring, or nearly one
            continue
        enough = 1.0 - _MIN_VIOLATION
        if most_violated(k, ends[:m], value[:m], enough, table, price) >= enough:
            continue
        scale = _integers(price[:m])
        if scale == 0:
            continue
        right = _lift(k, ends[:m], price[:m], scale, zero, table, weights[found])
        left = 0.0
        for e in range(m):
            left += weights[found, ends[e, 0], ends[e, 1]] * value[e]
        if right - left < _MIN_VIOLATION * right:
            continue
        for v in range(n):
            groups[found, v] = number[label[v]]
        rhs[found] = right
        violation[found] = (right - left) / right
        found += 1
    return groups[:found], weights[:found], rhs[:found], violation[:found]


@compiled
def _grow(seed: int, between: np.ndarray, size: int, rule: int, state: np.uint64, number: np.ndarray) -> bool:
    """Number `size` - 1 connected groups from `seed` on, the rest `size` - 1, in place; False if too few."""
    count = len(between)
    number[:] = size - 1
    attached = np.zeros(count)
    current = seed
    for step in range(size - 1):
        number[current] = step
        following = -1
        for a in range(count):
            if number[a] < size - 1:
                continue
            if between[current, a] > 0.0:
                if rule == 0:
                    attached[a] += between[current, a]
                elif rule == 1:
                    attached[a] = max(attached[a], float(size - step))
                else:
                    state = next_word(state)
                    attached[a] += between[current, a] * float(state % np.uint64(1000)) / 1000.0
            if attached[a] > _POSITIVE and (following < 0 or attached[a] > attached[following] + 1e-9):
                following = a
        current = following
        if current < 0:
            return step == size - 2
    return True


@compiled
def _integers(price: np.ndarray) -> int:
    """The smallest q up to the limit with q * price integer, or 0."""
    for q in range(1, _LARGEST_RHS + 1):
        close = True
        for e in range(len(price)):
            close = close and abs(q * price[e] - np.rint(q * price[e])) < 1e-5
        if close:
            return q
    return 0


@compiled
def _lift(
    k: int,
    ends: np.ndarray,
    price: np.ndarray,
    scale: int,
    columns: np.ndarray,
    table: np.ndarray,
    weight: np.ndarray,
) -> float:
    """Integer weights (K, K) of all pairs of groups, in place, and the cheapest walk under them.

    Pairs off the support start at their shortest path (so no walk gains by them) and are lowered one
    after the other, those with most columns first, as far as every walk keeps to the right-hand side.
    """
    weight[:] = NO_EDGE
    for e in range(len(price)):
        u, v = ends[e, 0], ends[e, 1]
        weight[u, v] = weight[v, u] = max(np.rint(scale * price[e]), 0.0)
    distance, middle = np.empty((k, k)), np.empty((k, k), dtype=np.int64)
    uses = np.empty((k, k), dtype=np.int64)
    rhs = cheapest_walk(weight, distance, middle, table)
    off = np.empty((k * k, 2), dtype=np.int64)
    rank = np.empty(k * k)
    count = 0
    for u in range(k):
        for v in range(u + 1, k):
            if weight[u, v] >= NO_EDGE:
                off[count, 0], off[count, 1], rank[count] = u, v, -columns[u, v]
                count += 1
            weight[u, v] = weight[v, u] = distance[u, v]
        weight[u, u] = 0.0
    for i in np.argsort(rank[:count]):
        u, v = off[i, 0], off[i, 1]
        highest = weight[u, v]
        weight[u, v] = weight[v, u] = 0.0
        while weight[u, v] < highest:
            cost = cheapest_walk(weight, distance, middle, table)
            if cost >= rhs - 0.5:
                break
            uses_of_cheapest(distance, middle, table, uses)
            # integers: each use must bring its share of what is missing
            step = np.ceil((rhs - cost) / max(uses[u, v], 1))
            weight[u, v] = weight[v, u] = min(weight[u, v] + step, highest)
    return rhs
