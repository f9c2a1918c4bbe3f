"""One small instance from costs to proof, on compiled 1-trees."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from diffcomb.problems.tours.one_trees.held_karp import FINISHED, OVERFLOW, search
from diffcomb.problems.tours.one_trees.one_tree import FORBIDDEN, adjacency
from diffcomb.problems.tours.one_trees.root import root_bound
from diffcomb.problems.tours.outcome import Outcome, edge_positions

#: 1-trees between two looks at the clock
_CHUNK = 2000


def solve_small(
    tails: np.ndarray,
    heads: np.ndarray,
    lists: Any,
    cost: np.ndarray,
    tolerance: float,
    deadline: float,
    budget: int,
    seed: int,
) -> Outcome:
    """Tour, root bound, reduced-cost fixing, search.

    Args:
        lists: adjacency lists of the complete graph; cost: (n,) scaled to magnitude 1.
        deadline: in time.perf_counter; looked at every few thousand 1-trees.
        budget: 1-trees of the search; 0 stops at the root.
    """
    n = len(lists[0]) - 1
    kicks, iterations = min(n // 2, 40), min(60 + 2 * n, 200)
    tour, upper, bound, pi, state = root_bound(tails, heads, lists, cost, tolerance, kicks, iterations, seed)
    edges = edge_positions(n, tour)
    if bound >= upper - tolerance:
        return Outcome(edges, bound, True)
    if budget <= 0:
        return Outcome(edges, bound, False)
    kept = np.flatnonzero(state != FORBIDDEN)
    tails, heads, cost = tails[kept], heads[kept], cost[kept]
    lists = adjacency(n, tails, heads)
    capacity = min(len(kept) + 2, 20 * n)
    states = np.empty((capacity, len(kept)), dtype=np.int8)
    potentials, bounds = np.empty((capacity, n)), np.empty(capacity)
    states[0], potentials[0], bounds[0] = state[kept], pi, bound
    best = np.zeros(len(kept), dtype=np.bool_)
    root_upper, top, outcome = upper, 1, -1
    while outcome not in (FINISHED, OVERFLOW) and budget > 0 and time.perf_counter() < deadline:
        outcome, top, upper, used = search(
            lists, tails, heads, cost, tolerance, states, potentials, bounds, top, upper, best, _CHUNK
        )
        budget -= used
    if upper < root_upper:
        edges = kept[best]
    if outcome == FINISHED:
        return Outcome(edges, upper, True)
    return Outcome(edges, float(bounds[:top].min(initial=upper)), False)
