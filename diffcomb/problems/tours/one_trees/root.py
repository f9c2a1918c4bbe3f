"""The root of the search: a good tour, the Held-Karp bound, and the edges that survive both."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.heuristics.lin_kernighan import (
    improve_tour,
    nearest_lists,
    nearest_neighbour_tour,
)
from diffcomb.problems.tours.one_trees.ascent import ascend
from diffcomb.problems.tours.one_trees.one_tree import fix_by_reduced_cost


@compiled
def root_bound(
    tails: np.ndarray,
    heads: np.ndarray,
    lists: tuple[np.ndarray, np.ndarray, np.ndarray],
    cost: np.ndarray,
    tolerance: float,
    kicks: int,
    iterations: int,
    seed: int,
) -> tuple[np.ndarray, float, float, np.ndarray, np.ndarray]:
    """Tour (N,), its cost, L(pi), pi (N,) and edge states (m,) after reduced-cost fixing.

    Args:
        lists: adjacency lists (start, near_city, near_edge).
        cost: (m,) per edge of the complete graph, scaled to magnitude at most 1.
        tolerance: improvements smaller than this are not looked for.
        kicks, iterations, seed: of the local search and of the subgradient ascent.
    """
    start, near_city, near_edge = lists
    n, m = len(start) - 1, len(cost)
    matrix = np.zeros((n, n))
    for e in range(m):
        matrix[tails[e], heads[e]] = cost[e]
        matrix[heads[e], tails[e]] = cost[e]
    near = nearest_lists(matrix, min(8, n - 1))
    tour = nearest_neighbour_tour(matrix, 0)
    upper = improve_tour(matrix, near, tour, kicks, seed, 1e-12)
    pi = np.zeros(n)
    state = np.zeros(m, dtype=np.int8)
    parent = np.empty(n, dtype=np.int32)
    parent_edge = np.empty(n, dtype=np.int32)
    order = np.empty(n, dtype=np.int32)
    root_edges = np.empty(3, dtype=np.int32)
    degree = np.empty(n, dtype=np.int64)
    bound, is_tour, _ = ascend(
        start, near_city, near_edge, cost, state, pi, upper, iterations, 1.5,
        parent, parent_edge, order, root_edges, degree,
    )  # fmt: skip
    if is_tour and bound < upper:
        # the 1-tree is a tour: walk it
        upper = bound
        linked = np.full((n, 2), -1, dtype=np.int32)
        for k in range(n):
            e = parent_edge[order[k]] if 0 < k < n - 1 else root_edges[0 if k == 0 else 1]
            for u, v in ((tails[e], heads[e]), (heads[e], tails[e])):
                linked[u, 0 if linked[u, 0] < 0 else 1] = v
        previous, current = -1, 0
        for k in range(n):
            tour[k] = current
            following = linked[current, 0] if linked[current, 0] != previous else linked[current, 1]
            previous, current = current, following
    if bound < upper - tolerance:
        fix_by_reduced_cost(
            tails, heads, cost, state, pi, parent, parent_edge, order, root_edges,
            upper - tolerance - bound, np.empty(m),
        )  # fmt: skip
    return tour, upper, bound, pi, state
