"""Branch and bound with the Held-Karp bound, compiled: the fast way to a proof up to about 60 cities.

Depth first; every node runs a few subgradient steps from its parent's potentials, fixes edges by
reduced cost and degree, and branches on the edge of an over-full city whose absence costs most
(after Held & Karp 1971; Volgenant & Jonker 1982).
"""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.one_trees.ascent import ascend
from diffcomb.problems.tours.one_trees.one_tree import FORBIDDEN, FREE, REQUIRED, fix_by_reduced_cost
from diffcomb.problems.tours.one_trees.propagation import propagate

FINISHED, PAUSED, OVERFLOW = 0, 1, 2


@compiled
def search(
    lists: tuple[np.ndarray, np.ndarray, np.ndarray],
    tails: np.ndarray,
    heads: np.ndarray,
    cost: np.ndarray,
    tolerance: float,
    stack_state: np.ndarray,
    stack_pi: np.ndarray,
    stack_bound: np.ndarray,
    top: int,
    upper: float,
    best_edges: np.ndarray,
    budget: int,
) -> tuple[int, int, float, int]:
    """Work off the stack of open nodes for about `budget` 1-trees; resumable.

    Args:
        lists: adjacency lists (start, near_city, near_edge) of the edges that survived the root.
        cost: (m,) scaled to magnitude at most 1. tolerance: nodes with bound >= upper - tolerance
            are pruned.
        stack_state (capacity, m), stack_pi (capacity, N), stack_bound (capacity,): open nodes;
            `top` of them in use. What is left is there when the budget ends.
        upper: cost of the best tour known; best_edges (m,) bool, overwritten by a better one.

    Returns:
        (FINISHED | PAUSED | OVERFLOW, top, upper, 1-trees used).
    """
    start, near_city, near_edge = lists
    n, m = len(start) - 1, len(cost)
    parent = np.empty(n, dtype=np.int32)
    parent_edge = np.empty(n, dtype=np.int32)
    order = np.empty(n, dtype=np.int32)
    root_edges = np.empty(3, dtype=np.int32)
    degree = np.empty(n, dtype=np.int64)
    replacement = np.empty(m)
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
        closed = not propagate(start, near_city, near_edge, state)
        bound = stack_bound[top]
        rounds = 0
        while not closed:
            bound, is_tour, count = ascend(
                start, near_city, near_edge, cost, state, pi, upper, 15, 1.0,
                parent, parent_edge, order, root_edges, degree,
            )  # fmt: skip
            used += count
            rounds += 1
            if bound >= upper - tolerance:
                closed = True
            elif is_tour:
                upper = bound
                best_edges[:] = False
                for k in range(1, n - 1):
                    best_edges[parent_edge[order[k]]] = True
                best_edges[root_edges[0]] = True
                best_edges[root_edges[1]] = True
                closed = True
            if closed:
                break
            fixed = fix_by_reduced_cost(
                tails, heads, cost, state, pi, parent, parent_edge, order, root_edges,
                upper - tolerance - bound, replacement,
            )  # fmt: skip
            if fixed > 0:
                closed = not propagate(start, near_city, near_edge, state)
            if fixed < 3 or rounds >= 3:
                break
        if closed:
            continue
        # the free 1-tree edge at an over-full city whose absence lifts the bound most
        branch, score = -1, -1.0
        for e in range(m):
            if state[e] == FREE and replacement[e] >= 0.0:
                crowd = max(degree[tails[e]], degree[heads[e]])
                if crowd > 2 and replacement[e] > score:
                    branch, score = e, replacement[e]
        if branch < 0:
            for e in range(m):
                if state[e] == FREE:
                    branch, score = e, 0.0
                    break
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
            stack_bound[top] = bound + (max(score, 0.0) if value == FORBIDDEN else 0.0)
            top += 1
    return FINISHED, top, upper, used
