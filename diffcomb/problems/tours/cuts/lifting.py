"""Facets of a small map as inequalities in whole numbers over all pairs of its groups, compiled."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.cuts.closed_walks import NO_EDGE, cheapest_walk, uses_of_cheapest

#: right-hand sides tried when a facet is scaled to integers
_LARGEST_RHS = 120


@compiled
def whole_scale(price: np.ndarray) -> int:
    """The smallest q up to the limit with q * price integer, or 0."""
    for q in range(1, _LARGEST_RHS + 1):
        close = True
        for e in range(len(price)):
            close = close and abs(q * price[e] - np.rint(q * price[e])) < 1e-5
        if close:
            return q
    return 0


@compiled
def lift(
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
