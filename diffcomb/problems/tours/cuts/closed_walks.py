"""The cheapest closed walk through all nodes of a small graph (graphical travelling salesman), compiled."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled

#: nodes at most, and the width of the table: a fixed one is worth a factor of two
MOST_NODES = 16
#: weight of an edge that is not there; sums of a few stay finite
NO_EDGE = 1e30


@compiled
def shortest_paths(weight: np.ndarray, distance: np.ndarray, middle: np.ndarray) -> None:
    """Floyd-Warshall: distances (K, K) of edge weights (K, K), a node on each path or -1, in place."""
    k = len(weight)
    for u in range(k):
        for v in range(k):
            distance[u, v] = weight[u, v] if u != v else 0.0
            middle[u, v] = -1
    for w in range(k):
        for u in range(k):
            via = distance[u, w]
            if via >= NO_EDGE:
                continue
            for v in range(k):
                if via + distance[w, v] < distance[u, v]:
                    distance[u, v] = via + distance[w, v]
                    middle[u, v] = w


@compiled
def _count_path(u: int, v: int, middle: np.ndarray, uses: np.ndarray) -> None:
    """Add the edges of the shortest path from u to v to `uses` (K, K), symmetric."""
    stack = np.empty((64, 2), dtype=np.int64)
    stack[0, 0], stack[0, 1] = u, v
    top = 1
    while top > 0:
        top -= 1
        a, b = stack[top, 0], stack[top, 1]
        w = middle[a, b]
        if w < 0:
            uses[a, b] += 1
            uses[b, a] += 1
        else:
            stack[top, 0], stack[top, 1] = a, w
            stack[top + 1, 0], stack[top + 1, 1] = w, b
            top += 2


@compiled
def cheapest_walk(weight: np.ndarray, distance: np.ndarray, middle: np.ndarray, table: np.ndarray) -> float:
    """min w'uses over closed walks that visit every node (edges may repeat); Held & Karp (1962) on the
    shortest paths.

    Args:
        weight: (K, K) symmetric, non-negative, `NO_EDGE` where there is no edge.
        distance, middle: (K, K) scratch; they hold the shortest paths afterwards.
        table: scratch of at least (2^(K - 1), 16); cheapest way from the last node through a set of the
            others to one of them.
    """
    k = len(weight)
    shortest_paths(weight, distance, middle)
    m = k - 1  # node m is where walks start
    near = np.zeros((MOST_NODES, MOST_NODES))
    near[:k, :k] = distance
    for full in range(1, 1 << m):
        for j in range(MOST_NODES):
            before = full ^ (1 << j)
            if j >= m or before > full:  # j is not in the set
                table[full, j] = NO_EDGE
                continue
            if before == 0:
                table[full, j] = distance[m, j]
                continue
            best = NO_EDGE
            for i in range(MOST_NODES):
                best = min(best, table[before, i] + near[j, i])
            table[full, j] = best
    best = NO_EDGE
    for j in range(m):
        best = min(best, table[(1 << m) - 1, j] + distance[j, m])
    return best


@compiled
def walk_through(
    last: int, distance: np.ndarray, middle: np.ndarray, table: np.ndarray, uses: np.ndarray
) -> float:
    """The cheapest of the walks that come home from node `last`, after `cheapest_walk`; its cost.

    Args:
        uses: (K, K) out, how often each edge is used (both triangles).
    """
    m = len(uses) - 1
    uses[:] = 0
    remaining, current = (1 << m) - 1, m
    cost = table[remaining, last] + distance[last, m]
    while True:
        _count_path(current, last, middle, uses)
        current = last
        remaining ^= 1 << current
        if remaining == 0:
            break
        least = NO_EDGE
        for i in range(m):
            if (remaining >> i) & 1 and table[remaining, i] + distance[current, i] < least:
                least, last = table[remaining, i] + distance[current, i], i
    _count_path(current, m, middle, uses)
    return cost


@compiled
def uses_of_cheapest(distance: np.ndarray, middle: np.ndarray, table: np.ndarray, uses: np.ndarray) -> None:
    """`walk_through` for the cheapest walk of all."""
    m = len(uses) - 1
    last = 0
    for j in range(m):
        if table[(1 << m) - 1, j] + distance[j, m] < table[(1 << m) - 1, last] + distance[last, m]:
            last = j
    walk_through(last, distance, middle, table, uses)
