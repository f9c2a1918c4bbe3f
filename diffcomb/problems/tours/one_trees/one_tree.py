"""Minimum 1-trees and the Held-Karp bound over a sparse list of edges.

    L(pi) = min over 1-trees T of sum_{uv in T} (c_uv + pi_u + pi_v) - 2 sum pi  <=  optimal tour

A 1-tree is a spanning tree on cities 1 ... N-1 plus two edges at city 0; every tour is one.
max L equals the subtour linear program (Held & Karp 1970).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.edges import Edges

FREE, REQUIRED, FORBIDDEN = np.int8(0), np.int8(1), np.int8(2)
#: required edges are cheaper than everything (costs are scaled to at most 1)
_CHEAP = 1e6


class Allowed(NamedTuple):
    """Adjacency lists without forbidden edges; weight is the cost, of required edges so low that they go
    first."""

    start: np.ndarray
    near_city: np.ndarray
    near_edge: np.ndarray
    weight: np.ndarray


class OneTree(NamedTuple):
    """parent, parent_edge (N,): the tree rooted at city 1, -1 at the root. order (N,): cities 1 ... N-1 in
    the order they joined. root_edges (3,): the two edges at city 0 and the third best, -1 if there is none.
    degree (N,). key, outside (N,): scratch.
    """

    parent: np.ndarray
    parent_edge: np.ndarray
    order: np.ndarray
    root_edges: np.ndarray
    degree: np.ndarray
    key: np.ndarray
    outside: np.ndarray


@compiled
def empty_one_tree(n: int) -> OneTree:
    """Room for the 1-trees of n cities."""
    return OneTree(
        np.empty(n, dtype=np.int32),
        np.empty(n, dtype=np.int32),
        np.empty(n, dtype=np.int32),
        np.empty(3, dtype=np.int32),
        np.empty(n, dtype=np.int64),
        np.empty(n),
        np.empty(n, dtype=np.int32),
    )


@compiled
def allowed_lists(edges: Edges, state: np.ndarray) -> Allowed:
    """The edges that are not forbidden."""
    _, _, cost, start, near_city, near_edge = edges
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
    return Allowed(first, city[:kept], edge[:kept], weight[:kept])


@compiled
def minimum_one_tree(allowed: Allowed, cost: np.ndarray, pi: np.ndarray, tree: OneTree) -> float:
    """Prim's algorithm; L(pi), or +inf when required and forbidden edges admit no 1-tree.

    Args:
        cost: (m,) per edge. tree: out.
    """
    start, near_city, near_edge, near_weight = allowed
    parent, parent_edge, order, root_edges, degree, key, outside = tree
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
def tour_of_degrees(degree: np.ndarray) -> bool:
    """A connected 1-tree with all degrees 2 is a tour."""
    return bool((degree == 2).all())
