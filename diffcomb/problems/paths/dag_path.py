"""Shortest paths in acyclic graphs by dynamic programming, compiled, a batch at a time."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.paths.arcs import Arcs
from diffcomb.problems.paths.walk import walk_back


@compiled
def shortest_dag_paths(
    costs: np.ndarray, order: np.ndarray, arcs: Arcs, ends: tuple[int, int], lowest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Bellman's recursion d(v) = min over arcs (u, v) of d(u) + c_uv in topological order.

    Costs of any sign. Ties go to the arc met first.

    Args:
        costs: (batch, n) float64.
        order: nodes in topological order. ends: source and target. lowest: at most 0 and all costs.

    Returns:
        (batch, n) 0-1 paths; (batch,) whether rounding may hide a better one, as in `walk_back`.
    """
    tails, heads, first, by_tail = arcs
    batch, n = costs.shape
    num_nodes = len(order)
    z, doubtful = np.zeros((batch, n)), np.empty(batch, dtype=np.bool_)
    distance = np.empty(num_nodes)
    arc_into = np.empty(num_nodes, dtype=np.int64)
    for b in range(batch):
        distance[:] = np.inf
        distance[ends[0]] = 0.0
        arc_into[:] = -1
        for u in order:
            if distance[u] == np.inf:
                continue
            for k in range(first[u], first[u + 1]):
                arc = by_tail[k]
                reached = distance[u] + costs[b, arc]
                if reached < distance[heads[arc]]:
                    distance[heads[arc]] = reached
                    arc_into[heads[arc]] = arc
        doubtful[b] = walk_back(arc_into, tails, ends, costs[b], lowest, z[b])
    return z, doubtful
