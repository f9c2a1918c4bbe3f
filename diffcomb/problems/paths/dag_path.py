"""Shortest paths in acyclic graphs by dynamic programming, compiled, a batch at a time."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled


@compiled
def shortest_dag_paths(
    costs: np.ndarray,
    order: np.ndarray,
    first: np.ndarray,
    arcs: np.ndarray,
    tails: np.ndarray,
    heads: np.ndarray,
    source: int,
    target: int,
) -> np.ndarray:
    """Bellman's recursion d(v) = min over arcs (u, v) of d(u) + c_uv in topological order.

    Costs of any sign. Ties go to the arc met first.

    Args:
        costs: (batch, n) float64.
        order: nodes in topological order.
        first, arcs: arcs leaving node v are arcs[first[v]:first[v + 1]].
        tails, heads: end points of the arcs.

    Returns:
        (batch, n) 0-1 paths from source to target.
    """
    batch, n = costs.shape
    num_nodes = len(order)
    z = np.zeros((batch, n))
    distance = np.empty(num_nodes)
    arc_into = np.empty(num_nodes, dtype=np.int64)
    for b in range(batch):
        distance[:] = np.inf
        distance[source] = 0.0
        for u in order:
            if distance[u] == np.inf:
                continue
            for k in range(first[u], first[u + 1]):
                arc = arcs[k]
                reached = distance[u] + costs[b, arc]
                if reached < distance[heads[arc]]:
                    distance[heads[arc]] = reached
                    arc_into[heads[arc]] = arc
        node = target
        while node != source:
            z[b, arc_into[node]] = 1.0
            node = tails[arc_into[node]]
    return z
