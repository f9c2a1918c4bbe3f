"""Shortest paths for a batch of non-negative costs, compiled."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.paths.shortest_trees import shortest_tree


@compiled
def dijkstra_paths(
    costs: np.ndarray,
    first_arc: np.ndarray,
    arcs_by_tail: np.ndarray,
    tails: np.ndarray,
    heads: np.ndarray,
    source: int,
    target: int,
) -> np.ndarray:
    """Arcs of the shortest source-target path, (batch, n) 0-1; ties go to the first path found.

    Args:
        costs: (batch, n) non-negative. The other arrays are those of `ShortestPath`.
    """
    nodes = len(first_arc) - 1
    z = np.zeros(costs.shape)
    distance = np.empty(nodes)
    parent = np.empty(nodes, np.int64)
    settled = np.empty(nodes, np.int64)
    for i in range(len(costs)):
        shortest_tree(source, costs[i], first_arc, arcs_by_tail, heads, 0, distance, parent, settled)
        node = target
        while node != source:
            z[i, parent[node]] = 1.0
            node = tails[parent[node]]
    return z
