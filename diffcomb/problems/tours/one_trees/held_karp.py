"""Branch and bound with the Held-Karp bound, compiled: the fast way to a proof up to about 60 cities.

Depth first; every node runs a few subgradient steps from its parent's potentials, fixes edges by
reduced cost and degree, and branches on the edge of an over-full city whose absence costs most
(after Held & Karp 1971; Volgenant & Jonker 1982).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.edges import Edges
from diffcomb.problems.tours.one_trees.ascent import ascend
from diffcomb.problems.tours.one_trees.one_tree import FORBIDDEN, FREE, REQUIRED, OneTree, empty_one_tree
from diffcomb.problems.tours.one_trees.propagation import propagate
from diffcomb.problems.tours.one_trees.reduced_costs import fix_by_reduced_cost

FINISHED, PAUSED, OVERFLOW = 0, 1, 2
#: 1-trees of an ascent at a node, and ascents at most
_STEPS, _ROUNDS = 15, 3


class OpenNodes(NamedTuple):
    """A stack: state (capacity, m) of the edges, pi (capacity, N), bound (capacity,)."""

    state: np.ndarray
    pi: np.ndarray
    bound: np.ndarray


@compiled
def search(
    edges: Edges,
    tolerance: float,
    open_nodes: OpenNodes,
    top: int,
    upper: float,
    best_edges: np.ndarray,
    budget: int,
) -> tuple[int, int, float, int]:
    """Work off the stack of open nodes for about `budget` 1-trees; resumable.

    Args:
        edges: those that survived the root, costs scaled to magnitude at most 1.
        tolerance: nodes with bound >= upper - tolerance are pruned.
        open_nodes: `top` of them in use. What is left is there when the budget ends.
        upper: cost of the best tour known; best_edges (m,) bool, overwritten by a better one.

    Returns:
        (FINISHED | PAUSED | OVERFLOW, top, upper, 1-trees used).
    """
    stack_state, stack_pi, stack_bound = open_nodes
    tails, heads, cost = edges.tails, edges.heads, edges.cost
    n, m = len(edges.start) - 1, len(cost)
    tree, replacement = empty_one_tree(n), np.empty(m)
    used = 0
    while top > 0:
        if used >= budget:
            return PAUSED, top, upper, used
        if top + 1 >= len(stack_bound):
            return OVERFLOW, top, upper, used
        top -= 1
        if stack_bound[top] >= upper - tolerance:
            continue
        state, pi = stack_state[top].copy(), stack_pi[top].copy()
        closed = not propagate(edges, state)
        bound = stack_bound[top]
        rounds = 0
        while not closed:
            bound, is_tour, count = ascend(edges, state, pi, upper, _STEPS, 1.0, tree)
            used += count
            rounds += 1
            if bound >= upper - tolerance:
                closed = True
            elif is_tour:
                upper = bound
                _note_tour(tree, best_edges)
                closed = True
            if closed:
                break
            fixed = fix_by_reduced_cost(edges, state, pi, tree, upper - tolerance - bound, replacement)
            if fixed > 0:
                closed = not propagate(edges, state)
            if fixed < 3 or rounds >= _ROUNDS:
                break
        if closed:
            continue
        branch, score = _branching_edge(tails, heads, state, tree.degree, replacement)
        if branch < 0:
            # all fixed: the required edges are the one tour left
            length = 0.0
            for e in range(m):
                if state[e] == REQUIRED:
                    length += cost[e]
            if length < upper - tolerance:
                upper = length
                for e in range(m):
                    best_edges[e] = state[e] == REQUIRED
            continue
        for value in (FORBIDDEN, REQUIRED):  # required is explored first
            stack_state[top, :] = state
            stack_state[top, branch] = value
            stack_pi[top, :] = pi
            stack_bound[top] = bound + (score if value == FORBIDDEN else 0.0)
            top += 1
    return FINISHED, top, upper, used


@compiled
def _note_tour(tree: OneTree, best_edges: np.ndarray) -> None:
    """Mark the edges of a 1-tree that is a tour."""
    best_edges[:] = False
    for k in range(1, len(tree.order) - 1):
        best_edges[tree.parent_edge[tree.order[k]]] = True
    best_edges[tree.root_edges[0]] = True
    best_edges[tree.root_edges[1]] = True


@compiled
def _branching_edge(
    tails: np.ndarray, heads: np.ndarray, state: np.ndarray, degree: np.ndarray, replacement: np.ndarray
) -> tuple[int, float]:
    """The free 1-tree edge at an over-full city whose absence lifts the bound most, and by how much.

    Any free edge, and 0, where there is none; -1 if no edge is free.
    """
    branch, score = -1, -1.0
    for e in range(len(state)):
        if state[e] == FREE and replacement[e] >= 0.0:
            crowd = max(degree[tails[e]], degree[heads[e]])
            if crowd > 2 and replacement[e] > score:
                branch, score = e, replacement[e]
    if branch >= 0:
        return branch, score
    for e in range(len(state)):
        if state[e] == FREE:
            return e, 0.0
    return -1, 0.0
