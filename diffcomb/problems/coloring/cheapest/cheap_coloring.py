"""A cheap colouring near a given one: match colours to classes, then Kempe chains."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from diffcomb.compiled import compiled
from diffcomb.problems.coloring.graph import Graph


def cheap_coloring(graph: Graph, costs: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """A proper colouring of low sum of costs[v, colour of v], made from the proper one `colors`.

    First the best renaming of the colour classes (an assignment problem), then Kempe chain
    exchanges, the best colour for each vertex in turn, until none pays.

    Args:
        costs: (N, K) float64. colors: (N,) in 0..K-1.
    """
    num_colors = costs.shape[1]
    per_class = np.zeros((num_colors, num_colors))
    np.add.at(per_class, colors, costs)
    _, renamed = linear_sum_assignment(per_class)
    return np.asarray(_kempe_descent(graph.adjacency, costs, renamed[colors]))


@compiled
def _chain(
    adjacency: np.ndarray, colors: np.ndarray, start: int, other: int, chain: np.ndarray, seen: np.ndarray
) -> int:
    """The component of `start` among its colour and `other`; its vertices into `chain`."""
    first = colors[start]
    chain[0] = start
    seen[start] = True
    size, position = 1, 0
    while position < size:
        u = chain[position]
        position += 1
        wanted = other if colors[u] == first else first
        for v in range(len(colors)):
            if adjacency[u, v] and not seen[v] and colors[v] == wanted:
                seen[v] = True
                chain[size] = v
                size += 1
    for i in range(size):
        seen[chain[i]] = False
    return size


@compiled
def _kempe_descent(adjacency: np.ndarray, costs: np.ndarray, colors: np.ndarray) -> np.ndarray:
    num, num_colors = costs.shape
    colors = colors.copy()
    chain = np.zeros(num, dtype=np.int64)
    seen = np.zeros(num, dtype=np.bool_)
    improved = True
    while improved:
        improved = False
        for v in range(num):
            first = colors[v]
            best, best_change = -1, -1e-12
            for k in range(num_colors):
                if k == first:
                    continue
                size = _chain(adjacency, colors, v, k, chain, seen)
                change = 0.0
                for i in range(size):
                    u = chain[i]
                    after = k if colors[u] == first else first
                    change += costs[u, after] - costs[u, colors[u]]
                if change < best_change:
                    best, best_change = k, change
            if best >= 0:
                size = _chain(adjacency, colors, v, best, chain, seen)
                for i in range(size):
                    u = chain[i]
                    colors[u] = best if colors[u] == first else first
                improved = True
    return colors
