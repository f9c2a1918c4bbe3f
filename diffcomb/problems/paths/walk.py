"""From the last arc into every node back to the path."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled

#: rounding that a path may owe to expensive arcs, relative to its cheapest one
_ROUNDING = 1e-10


@compiled
def walk_back(
    arc_into: np.ndarray,
    tails: np.ndarray,
    ends: tuple[int, int],
    cost: np.ndarray,
    lowest: float,
    z: np.ndarray,
) -> bool:
    """Mark the path between two ends in z (n,); whether rounding may have hidden a better one.

    That is so where some arc is so expensive that the others drown in float64, and where sums have
    overflown and no arc leads into a node.

    Args:
        lowest: at most all costs. A large reward reaches the labels of nodes whose path goes without it.
    """
    largest, smallest = -lowest, np.inf
    node = ends[1]
    while node != ends[0]:
        arc = arc_into[node]
        if arc < 0:
            return True
        z[arc] = 1.0
        magnitude = abs(cost[arc])
        largest = max(largest, magnitude)
        if magnitude > 0.0:
            smallest = min(smallest, magnitude)
        node = tails[arc]
    return largest * len(arc_into) * 2.0**-52 > _ROUNDING * smallest
