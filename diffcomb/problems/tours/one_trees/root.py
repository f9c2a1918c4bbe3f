"""The root of the search: a good tour, the Held-Karp bound, and the edges that survive both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.edges import Edges
from diffcomb.problems.tours.heuristics.lin_kernighan import LocalSearch, improve, local_search
from diffcomb.problems.tours.heuristics.neighbours import nearest_lists, nearest_neighbour_tour, tour_cost
from diffcomb.problems.tours.one_trees.ascent import Ascent, climb, start_ascent
from diffcomb.problems.tours.one_trees.one_tree import (
    Allowed,
    OneTree,
    allowed_lists,
    empty_one_tree,
    minimum_one_tree,
    tour_of_degrees,
)
from diffcomb.problems.tours.one_trees.reduced_costs import fix_by_reduced_cost

#: gains of the local search below this are rounding; costs are scaled to magnitude 1
_EPS = 1e-12
_STEP_SCALE = 1.5
#: stages of the work
_SEARCHING, _CLIMBING, _DONE = 0, 1, 2


class Root(NamedTuple):
    """search: of the tour. state (m,): of the edges. values: cost of the tour, bound. stage (1,)."""

    search: LocalSearch
    allowed: Allowed
    ascent: Ascent
    tree: OneTree
    state: np.ndarray
    values: np.ndarray
    stage: np.ndarray


@compiled
def start_root(edges: Edges, seed: int) -> Root:
    """The nearest-neighbour tour and no bound.

    Args:
        edges: of a complete graph, costs scaled to magnitude at most 1. seed: of the local search.
    """
    tails, heads, cost, start = edges.tails, edges.heads, edges.cost, edges.start
    n, m = len(start) - 1, len(cost)
    matrix = np.zeros((n, n))
    for e in range(m):
        matrix[tails[e], heads[e]] = cost[e]
        matrix[heads[e], tails[e]] = cost[e]
    near = nearest_lists(matrix, min(8, n - 1))
    tour = nearest_neighbour_tour(matrix, 0)
    state = np.zeros(m, dtype=np.int8)
    return Root(
        local_search(matrix, near, tour, seed),
        allowed_lists(edges, state),
        start_ascent(np.zeros(n), _STEP_SCALE),
        empty_one_tree(n),
        state,
        np.array([np.inf, -np.inf]),
        np.zeros(1, dtype=np.int64),
    )


@compiled
def advance_root(
    edges: Edges, root: Root, tolerance: float, kicks: int, iterations: int, budgets: tuple[int, int]
) -> bool:
    """Local search, then ascent, then fixing by reduced costs; resumable.

    Args:
        tolerance: improvements smaller than this are not looked for.
        kicks, iterations: of the local search and of the subgradient ascent, in all.
        budgets: moves and 1-trees of this call, about.

    Returns:
        whether all is done; root.values is (cost of the tour, bound) then.
    """
    search, tree, values, stage = root.search, root.tree, root.values, root.stage
    if stage[0] == _SEARCHING:
        if not improve(search, kicks, _EPS, budgets[0]):
            return False
        values[0] = tour_cost(search.cost, search.tour)
        stage[0] = _CLIMBING
    if stage[0] == _CLIMBING:
        if not climb(root.allowed, edges.cost, root.ascent, values[0], iterations, tree, budgets[1]):
            return False
        values[1] = root.ascent.values[0]
        if values[1] < values[0] and tour_of_degrees(tree.degree):
            values[0] = values[1]
            _walk(edges, tree, search.tour)
        slack = values[0] - tolerance - values[1]
        if slack > 0.0:
            fix_by_reduced_cost(edges, root.state, root.ascent.pi, tree, slack, np.empty(len(edges.cost)))
        stage[0] = _DONE
    return True


@compiled
def interrupt_root(edges: Edges, root: Root) -> None:
    """The best tour and bound so far, of one 1-tree at least, into a root that is not done."""
    search, values = root.search, root.values
    if root.stage[0] == _SEARCHING:
        if search.counts[2] >= 0:
            search.tour[:] = search.best
        values[0] = tour_cost(search.cost, search.tour)
    values[1] = root.ascent.values[0]
    if values[1] == -np.inf:
        values[1] = minimum_one_tree(root.allowed, edges.cost, root.ascent.pi, root.tree)


@compiled
def whole_root(
    edges: Edges, tolerance: float, kicks: int, iterations: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`advance_root` to the end: the tour (N,), values, pi (N,), and states (m,)."""
    root = start_root(edges, seed)
    advance_root(edges, root, tolerance, kicks, iterations, (2**62, iterations))
    return root.search.tour, root.values, root.ascent.pi, root.state


@compiled
def _walk(edges: Edges, tree: OneTree, tour: np.ndarray) -> None:
    """The tour (N,) that a 1-tree of degrees 2 is, in place."""
    n = len(tour)
    linked = np.full((n, 2), -1, dtype=np.int32)
    for k in range(n):
        e = tree.parent_edge[tree.order[k]] if 0 < k < n - 1 else tree.root_edges[0 if k == 0 else 1]
        for u, v in ((edges.tails[e], edges.heads[e]), (edges.heads[e], edges.tails[e])):
            linked[u, 0 if linked[u, 0] < 0 else 1] = v
    previous, current = -1, 0
    for k in range(n):
        tour[k] = current
        following = linked[current, 0] if linked[current, 0] != previous else linked[current, 1]
        previous, current = current, following
