"""Shortest paths for a batch of non-negative costs, compiled."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.paths.arcs import Arcs
from diffcomb.problems.paths.shortest_trees import Tree, shortest_tree
from diffcomb.problems.paths.walk import walk_back


@compiled
def dijkstra_paths(costs: np.ndarray, arcs: Arcs, ends: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The shortest paths from ends[0] to ends[1] for costs (batch, n) >= 0; ties go to the first one found.

    Returns:
        (batch, n) 0-1 paths; (batch,) whether rounding may hide a better one, as in `walk_back`.
    """
    nodes = len(arcs.first) - 1
    z, doubtful = np.zeros(costs.shape), np.empty(len(costs), dtype=np.bool_)
    tree = Tree(np.empty(nodes), np.empty(nodes, np.int64), np.empty(nodes, np.int64))
    for b in range(len(costs)):
        shortest_tree(ends[0], costs[b], arcs.first, arcs.by_tail, arcs.heads, 0, tree)
        doubtful[b] = walk_back(tree.parent, arcs.tails, ends, costs[b], 0.0, z[b])
    return z, doubtful
