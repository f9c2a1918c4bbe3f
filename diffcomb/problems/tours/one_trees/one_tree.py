"""Minimum 1-trees and the Held-Karp bound over a sparse list of edges.

    L(pi) = min over 1-trees T of sum_{uv in T} (c_uv + pi_u + pi_v) - 2 sum pi  <=  optimal tour

A 1-tree is a spanning tree on cities 1 ... N-1 plus two edges at city 0; every tour is one.
max L equals the subtour linear program (Held & Karp 1970).
"""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled

FREE, REQUIRED, FORBIDDEN = np.int8(0), np.int8(1), np.int8(2)
#: required edges are cheaper than everything (costs are scaled to at most 1)
_CHEAP = 1e6


@compiled
def allowed_lists(
    start: np.ndarray, near_city: np.ndarray, near_edge: np.ndarray, cost: np.ndarray, state: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Adjacency lists without forbidden edges, and the weight of each entry.

    Returns (start, near_city, near_edge, weight): weight is the cost, of required edges so low that
    they go first.
    """
    n, kept = len(start) - 1, 0
    first = np.zeros(n + 1, dtype=np.int32)
    city, edge = np.empty_like(near_city), np.empty_like(near_edge)
    weight = np.empty(len(near_edge))
    for v in range(n):
        for k in range(start[v], start[v + 1]):
            e = near_edge[k]
            if state[e] != FORBIDDEN:
                city[kept], edge[kept] = near_city[k], e
                weight[kept] = cost[e] - _CHEAP if state[e] == REQUIRED else cost[e]
                kept += 1
        first[v + 1] = kept
    return first, city[:kept], edge[:kept], weight[:kept]


@compiled
def minimum_one_tree(
    lists: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    cost: np.ndarray,
    pi: np.ndarray,
    key: np.ndarray,
    outside: np.ndarray,
    parent: np.ndarray,
    parent_edge: np.ndarray,
    order: np.ndarray,
    root_edges: np.ndarray,
    degree: np.ndarray,
) -> float:
    """Prim's algorithm; L(pi), or +inf when required and forbidden edges admit no 1-tree.

    Args:
        lists: `allowed_lists`. cost: (m,) per edge. key (N,) float64, outside (N,) int32: scratch.
        parent, parent_edge: (N,) out, the tree rooted at city 1, -1 at the root.
        order: (N,) out, cities 1 ... N-1 in the order they joined.
        root_edges: (3,) out, the two edges at city 0 and the third best, -1 if there is none.
        degree: (N,) out.
    """
    start, near_city, near_edge, near_weight = lists
    n = len(pi)
    key[:] = np.inf
    key[0] = key[1] = -np.inf  # never improved again: not in the tree, or in it
    count = 0
    for v in range(2, n):
        outside[count] = v
        count += 1
    degree[:] = 0
    parent[1], parent_edge[1] = -1, -1
    order[0] = 1
    current, length = np.int32(1), 0.0
    for step in range(1, n - 1):
        offset = pi[current]
        for k in range(start[current], start[current + 1]):
            v = near_city[k]
            weight = near_weight[k] + offset + pi[v]
            if weight < key[v]:
                key[v] = weight
                parent[v] = current
                parent_edge[v] = near_edge[k]
        best, best_key = -1, np.inf
        for k in range(count):
            value = key[outside[k]]
            if value < best_key:
                best, best_key = k, value
        if best < 0:
            return np.inf
        current = outside[best]
        count -= 1
        outside[best] = outside[count]
        key[current] = -np.inf
        order[step] = current
        degree[current] += 1
        degree[parent[current]] += 1
        length += cost[parent_edge[current]]
    # the cheapest edges at city 0, required ones first
    weights = (np.inf, np.inf, np.inf)
    a, b, c = -1, -1, -1
    for k in range(start[0], start[1]):
        weight = near_weight[k] + pi[near_city[k]]
        if weight < weights[0]:
            weights, a, b, c = (weight, weights[0], weights[1]), k, a, b
        elif weight < weights[1]:
            weights, b, c = (weights[0], weight, weights[1]), k, b
        elif weight < weights[2]:
            weights, c = (weights[0], weights[1], weight), k
    if b < 0:
        return np.inf
    root_edges[0], root_edges[1] = near_edge[a], near_edge[b]
    root_edges[2] = near_edge[c] if c >= 0 else -1
    length += cost[root_edges[0]] + cost[root_edges[1]]
    degree[0] = 2
    degree[near_city[a]] += 1
    degree[near_city[b]] += 1
    for v in range(n):
        length += (degree[v] - 2) * pi[v]
    return length


@compiled
def adjacency(n: int, tails: np.ndarray, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """CSR lists (start, near_city, near_edge) of an undirected edge list."""
    m = len(tails)
    start = np.zeros(n + 1, dtype=np.int32)
    for e in range(m):
        start[tails[e] + 1] += 1
        start[heads[e] + 1] += 1
    for v in range(n):
        start[v + 1] += start[v]
    fill = start[:-1].copy()
    near_city = np.empty(2 * m, dtype=np.int32)
    near_edge = np.empty(2 * m, dtype=np.int32)
    for e in range(m):
        for u, v in ((tails[e], heads[e]), (heads[e], tails[e])):
            near_city[fill[u]] = v
            near_edge[fill[u]] = e
            fill[u] += 1
    return start, near_city, near_edge


@compiled
def tour_of_degrees(degree: np.ndarray) -> bool:
    """A connected 1-tree with all degrees 2 is a tour."""
    return bool((degree == 2).all())


@compiled
def fix_by_reduced_cost(
    tails: np.ndarray,
    heads: np.ndarray,
    cost: np.ndarray,
    state: np.ndarray,
    pi: np.ndarray,
    parent: np.ndarray,
    parent_edge: np.ndarray,
    order: np.ndarray,
    root_edges: np.ndarray,
    slack: float,
    replacement: np.ndarray,
) -> int:
    """Forbid edges that lift the bound by more than `slack` when forced in, require those that do
    when left out. Fills `replacement` (m,): the lift of leaving out each 1-tree edge; returns the
    number of edges fixed, or -1 if some required edge closes a cycle.
    """
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
