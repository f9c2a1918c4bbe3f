"""Edges that every better tour has, or none has, by the 1-tree's reduced costs."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.edges import Edges
from diffcomb.problems.tours.one_trees.one_tree import FORBIDDEN, FREE, REQUIRED, OneTree


@compiled
def fix_by_reduced_cost(
    edges: Edges, state: np.ndarray, pi: np.ndarray, tree: OneTree, slack: float, replacement: np.ndarray
) -> int:
    """Forbid edges that lift the bound by more than `slack` when forced in, require those that do
    when left out. Fills `replacement` (m,): the lift of leaving out each 1-tree edge; returns the
    number of edges fixed.
    """
    tails, heads, cost = edges.tails, edges.heads, edges.cost
    parent, parent_edge, order, root_edges = tree.parent, tree.parent_edge, tree.order, tree.root_edges
    n, m = len(pi), len(cost)
    depth = np.zeros(n, dtype=np.int32)
    cheapest = np.full(n, np.inf)  # per tree edge (child): the cheapest edge that reconnects
    upward = np.zeros(n)  # weight of the tree edge to the parent, -inf when required
    in_tree = np.zeros(m, dtype=np.bool_)
    for k in range(1, n - 1):
        v = order[k]
        depth[v] = depth[parent[v]] + 1
        e = parent_edge[v]
        in_tree[e] = True
        upward[v] = -np.inf if state[e] == REQUIRED else cost[e] + pi[tails[e]] + pi[heads[e]]
    a, b, c = root_edges[0], root_edges[1], root_edges[2]
    root_second = cost[b] + pi[tails[b]] + pi[heads[b]]
    fixed = 0
    for e in range(m):
        if state[e] == FORBIDDEN or in_tree[e] or e in (a, b):
            continue
        u, v = tails[e], heads[e]
        weight = cost[e] + pi[u] + pi[v]
        if u == 0 or v == 0:
            heaviest = -np.inf if state[b] == REQUIRED else root_second
        else:
            heaviest = -np.inf
            while u != v:
                if depth[u] < depth[v]:
                    u, v = v, u
                heaviest = max(heaviest, upward[u])
                cheapest[u] = min(cheapest[u], weight)
                u = parent[u]
        if state[e] == FREE and weight - heaviest > slack:
            state[e] = FORBIDDEN
            fixed += 1
    replacement[:] = -1.0
    for k in range(1, n - 1):
        v = order[k]
        e = parent_edge[v]
        if state[e] == FREE:
            replacement[e] = cheapest[v] - upward[v]
            if replacement[e] > slack:
                state[e] = REQUIRED
                fixed += 1
    third = np.inf if c < 0 else cost[c] + pi[tails[c]] + pi[heads[c]]
    for e in (a, b):
        if state[e] == FREE:
            replacement[e] = third - cost[e] - pi[tails[e]] - pi[heads[e]]
            if replacement[e] > slack:
                state[e] = REQUIRED
                fixed += 1
    return fixed
