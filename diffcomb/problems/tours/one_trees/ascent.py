"""Subgradient ascent on the Held-Karp bound L(pi)."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.one_trees.one_tree import allowed_lists, minimum_one_tree, tour_of_degrees


@compiled
def ascend(
    start: np.ndarray,
    near_city: np.ndarray,
    near_edge: np.ndarray,
    cost: np.ndarray,
    state: np.ndarray,
    pi: np.ndarray,
    upper: float,
    iterations: int,
    step_scale: float,
    parent: np.ndarray,
    parent_edge: np.ndarray,
    order: np.ndarray,
    root_edges: np.ndarray,
    degree: np.ndarray,
) -> tuple[float, bool, int]:
    """Polyak subgradient steps on L(pi) towards `upper`; leaves the best pi and its 1-tree behind.

    Returns the best bound, whether its 1-tree is a tour, and the number of 1-trees. Stops at
    `upper`, at a tour, or when the step scale has shrunk.
    """
    n = len(pi)
    lists = allowed_lists(start, near_city, near_edge, cost, state)
    key, outside = np.empty(n), np.empty(n, dtype=np.int32)
    best_pi = pi.copy()
    momentum = np.zeros(n)
    best = -np.inf
    stalled = 0
    for k in range(iterations):
        bound = minimum_one_tree(
            lists, cost, pi, key, outside, parent, parent_edge, order, root_edges, degree
        )
        if bound > best:
            if bound > best + 1e-3 * (upper - best):
                stalled = 0
            best = bound
            best_pi[:] = pi
            if best >= upper or tour_of_degrees(degree):
                return best, best < np.inf and tour_of_degrees(degree), k + 1
        else:
            stalled += 1
            if stalled >= 4:
                step_scale *= 0.6
                stalled = 0
                if step_scale < 0.02:
                    break
        norm = 0.0
        for v in range(n):
            momentum[v] = 0.6 * (degree[v] - 2) + 0.4 * momentum[v]
            norm += momentum[v] * momentum[v]
        if norm < 1e-12:
            break
        step = step_scale * (upper - bound) / norm
        for v in range(n):
            pi[v] += step * momentum[v]
    pi[:] = best_pi
    best = minimum_one_tree(lists, cost, pi, key, outside, parent, parent_edge, order, root_edges, degree)
    return best, tour_of_degrees(degree), iterations
