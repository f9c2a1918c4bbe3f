"""Tours from a list of edges: join them to paths, then the paths to a tour."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled


@compiled
def join_edges(
    order: np.ndarray, tails: np.ndarray, heads: np.ndarray, num_cities: int
) -> tuple[np.ndarray, np.ndarray]:
    """Edges in `order` wherever they join two paths: neighbours (N, 2), -1 where none, and degrees (N,)."""
    n = num_cities
    label = np.arange(n)
    link = np.full((n, 2), -1, dtype=np.int32)
    degree = np.zeros(n, dtype=np.int64)
    joined = 0
    for e in order:
        u, v = tails[e], heads[e]
        if degree[u] == 2 or degree[v] == 2:
            continue
        a, b = u, v
        while label[a] != a:
            label[a] = label[label[a]]
            a = label[a]
        while label[b] != b:
            label[b] = label[label[b]]
            b = label[b]
        if a == b:
            continue
        label[a] = b
        link[u, degree[u]] = v
        link[v, degree[v]] = u
        degree[u] += 1
        degree[v] += 1
        joined += 1
        if joined == n - 1:
            break
    return link, degree


@compiled
def greedy_tour(
    num_cities: int, tails: np.ndarray, heads: np.ndarray, order: np.ndarray, matrix: np.ndarray
) -> np.ndarray:
    """Edges in `order` as long as they form paths; then each path end goes on to the nearest one."""
    n = num_cities
    link, degree = join_edges(order, tails, heads, n)
    tour = np.empty(n, dtype=np.int32)
    seen = np.zeros(n, dtype=np.bool_)
    current = 0
    while degree[current] == 2 and current < n - 1:
        current += 1
    for k in range(n):
        tour[k] = current
        seen[current] = True
        following = -1
        for side in range(degree[current]):
            if not seen[link[current, side]]:
                following = link[current, side]
        if following < 0:
            nearest = np.inf
            for v in range(n):
                if not seen[v] and degree[v] < 2 and matrix[current, v] < nearest:
                    following, nearest = v, matrix[current, v]
        current = following
    return tour
