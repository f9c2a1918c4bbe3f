"""Edge lists with their adjacency, for compiled code."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled


class Edges(NamedTuple):
    """Edge e joins tails[e] < heads[e] at cost[e]; city v has near_city[k] by near_edge[k], k from start[v]
    on to start[v + 1]."""

    tails: np.ndarray
    heads: np.ndarray
    cost: np.ndarray
    start: np.ndarray
    near_city: np.ndarray
    near_edge: np.ndarray

    @property
    def num_cities(self) -> int:
        return len(self.start) - 1

    def kept(self, positions: np.ndarray) -> Edges:
        """Only the edges at these positions, renumbered."""
        tails, heads = self.tails[positions], self.heads[positions]
        return Edges(tails, heads, self.cost[positions], *adjacency(self.num_cities, tails, heads))


@lru_cache(maxsize=4)
def complete_graph(num_cities: int) -> tuple[np.ndarray, np.ndarray]:
    """tails and heads of K_N, int32, edges in the order of the costs."""
    tails, heads = np.triu_indices(num_cities, k=1)
    return tails.astype(np.int32), heads.astype(np.int32)


@lru_cache(maxsize=4)
def complete_lists(num_cities: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`adjacency` of K_N."""
    lists: tuple[np.ndarray, np.ndarray, np.ndarray] = adjacency(num_cities, *complete_graph(num_cities))
    return lists


def complete_edges(num_cities: int, cost: np.ndarray) -> Edges:
    """K_N with costs (n,)."""
    return Edges(*complete_graph(num_cities), cost, *complete_lists(num_cities))


@compiled
def adjacency(n: int, tails: np.ndarray, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """CSR lists (start, near_city, near_edge) of an undirected edge list."""
    m = len(tails)
    start = np.zeros(n + 1, dtype=np.int32)
    for e in range(m):
        start[tails[e] + 1] += 1
        start[heads[e] + 1] += 1
    for v in range(n):
        start[v + 1] += start[v]
    fill = start[:-1].copy()
    near_city = np.empty(2 * m, dtype=np.int32)
    near_edge = np.empty(2 * m, dtype=np.int32)
    for e in range(m):
        for u, v in ((tails[e], heads[e]), (heads[e], tails[e])):
            near_city[fill[u]] = v
            near_edge[fill[u]] = e
            fill[u] += 1
    return start, near_city, near_edge
