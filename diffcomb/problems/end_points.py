"""End points of edges as users write them."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems.own_arrays import pairs_of_nodes


def end_points(edges: Any, num_nodes: int, what: str = "Arc") -> np.ndarray:
    """(n, 2) int64 of pairs of different nodes below num_nodes; a copy.

    Raises:
        InvalidInstanceError: another shape, no pair, fractions, loops, nodes out of range.
    """
    pairs = pairs_of_nodes(edges, f"{what} end points")
    if len(pairs) == 0:
        raise InvalidInstanceError(f"At least one {what.lower()} is needed.")
    if pairs.min() < 0 or pairs.max() >= num_nodes:
        raise InvalidInstanceError(f"{what} end points must lie in 0..{num_nodes - 1}.")
    loops = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
    if len(loops):
        raise InvalidInstanceError(f"{what} {loops[0]} is a self-loop, of no use to any decision; remove it.")
    return pairs
