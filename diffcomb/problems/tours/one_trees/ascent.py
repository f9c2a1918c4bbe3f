"""Subgradient ascent on the Held-Karp bound L(pi)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.edges import Edges
from diffcomb.problems.tours.one_trees.one_tree import (
    Allowed,
    OneTree,
    allowed_lists,
    minimum_one_tree,
    tour_of_degrees,
)


class Ascent(NamedTuple):
    """pi (N,): where it stands; best_pi, momentum (N,). values: best bound, step scale. counts: 1-trees made,
    steps without a gain."""

    pi: np.ndarray
    best_pi: np.ndarray
    momentum: np.ndarray
    values: np.ndarray
    counts: np.ndarray


@compiled
def start_ascent(pi: np.ndarray, step_scale: float) -> Ascent:
    """From pi, which is overwritten."""
    values, counts = np.array([-np.inf, step_scale]), np.zeros(2, dtype=np.int64)
    return Ascent(pi, pi.copy(), np.zeros(len(pi)), values, counts)


@compiled
def climb(
    allowed: Allowed,
    cost: np.ndarray,
    ascent: Ascent,
    upper: float,
    iterations: int,
    tree: OneTree,
    budget: int,
) -> bool:
    """Polyak subgradient steps on L(pi) towards `upper`, `budget` of them at most; resumable.

    Returns whether the ascent is over: at `upper`, at a tour, after `iterations` 1-trees or when the step
    scale has shrunk. pi is the best one then and `tree` its 1-tree.
    """
    pi, best_pi, momentum, values, counts = ascent
    degree = tree.degree
    n = len(pi)
    best, step_scale, stalled = values[0], values[1], counts[1]
    for k in range(counts[0], iterations):
        if k - counts[0] == budget:
            values[0], values[1], counts[0], counts[1] = best, step_scale, k, stalled
            return False
        bound = minimum_one_tree(allowed, cost, pi, tree)
        if bound > best:
            if bound > best + 1e-3 * (upper - best):
                stalled = 0
            best = bound
            best_pi[:] = pi
            if best >= upper or tour_of_degrees(degree):
                values[0], counts[0] = best, k + 1
                return True
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
    values[0], counts[0] = minimum_one_tree(allowed, cost, pi, tree), iterations
    return True


@compiled
def ascend(
    edges: Edges,
    state: np.ndarray,
    pi: np.ndarray,
    upper: float,
    iterations: int,
    step_scale: float,
    tree: OneTree,
) -> tuple[float, bool, int]:
    """A whole ascent; the best bound, whether its 1-tree is a tour, and the number of 1-trees."""
    ascent = start_ascent(pi, step_scale)
    climb(allowed_lists(edges, state), edges.cost, ascent, upper, iterations, tree, iterations)
    best = ascent.values[0]
    return best, best < np.inf and tour_of_degrees(tree.degree), ascent.counts[0]
