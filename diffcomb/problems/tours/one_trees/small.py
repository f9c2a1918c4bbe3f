"""One small instance from costs to proof, on compiled 1-trees."""

from __future__ import annotations

import numpy as np

from diffcomb.oracles.clock import Clock
from diffcomb.problems.tours.edges import Edges
from diffcomb.problems.tours.one_trees.held_karp import FINISHED, OVERFLOW, OpenNodes, search
from diffcomb.problems.tours.one_trees.one_tree import FORBIDDEN
from diffcomb.problems.tours.one_trees.root import (
    Root,
    advance_root,
    interrupt_root,
    start_root,
    whole_root,
)
from diffcomb.problems.tours.outcome import Outcome, edge_positions

#: 1-trees between two looks at the clock
_CHUNK = 2000
#: up to here the root is one call
_AT_ONCE = 200
#: steps in pairs of cities between two looks at the clock at the root, of the local search and of 1-trees
_MOVES, _PAIRS = 1_000_000, 20_000_000


def solve_small(edges: Edges, tolerance: float, clock: Clock, budget: int, seed: int) -> Outcome:
    """Tour, root bound, reduced-cost fixing, search.

    Args:
        edges: the complete graph, costs scaled to magnitude 1.
        budget: 1-trees of the search; 0 stops at the root.
    """
    n = edges.num_cities
    tour, (upper, bound), pi, state = _root(edges, tolerance, clock, seed)
    found = edge_positions(n, tour)
    if bound >= upper - tolerance:
        return Outcome(found, bound, True)
    if budget <= 0 or clock.is_up():
        return Outcome(found, bound, False)
    kept = np.flatnonzero(state != FORBIDDEN)
    edges = edges.kept(kept)
    capacity = min(len(kept) + 2, 20 * n)
    shapes = ((capacity, len(kept)), (capacity, n))
    nodes = OpenNodes(np.empty(shapes[0], dtype=np.int8), np.empty(shapes[1]), np.empty(capacity))
    nodes.state[0], nodes.pi[0], nodes.bound[0] = state[kept], pi, bound
    best = np.zeros(len(kept), dtype=np.bool_)
    root_upper, top, outcome = upper, 1, -1
    while outcome not in (FINISHED, OVERFLOW) and budget > 0 and not clock.is_up():
        outcome, top, upper, used = search(edges, tolerance, nodes, top, upper, best, _CHUNK)
        budget -= used
    if upper < root_upper:
        found = kept[best]
    if outcome == FINISHED:
        return Outcome(found, upper, True)
    return Outcome(found, float(nodes.bound[:top].min(initial=upper)), False)


def _root(
    edges: Edges, tolerance: float, clock: Clock, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tour (N,), its cost and the bound, pi (N,) and states (m,), as far as the clock lets it."""
    n = edges.num_cities
    kicks, iterations = min(n // 2, 40), min(60 + 2 * n, 200)
    found: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    if n <= _AT_ONCE:
        found = whole_root(edges, tolerance, kicks, iterations, seed)
        return found
    root: Root = start_root(edges, seed)
    budgets = (1 + _MOVES // n, 1 + _PAIRS // n**2)
    while not advance_root(edges, root, tolerance, kicks, iterations, budgets):
        if clock.is_up():
            interrupt_root(edges, root)
            break
    found = root.search.tour, root.values, root.ascent.pi, root.state
    return found
