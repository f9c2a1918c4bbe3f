"""Nodes, elements and end points as users write them."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffcomb.errors import InvalidInstanceError


def whole_numbers(values: Any, what: str) -> np.ndarray:
    """A copy as int64.

    Raises:
        InvalidInstanceError: fractions, NaN, or no numbers at all; `what` names them, in the plural.
    """
    try:
        given = np.array(values)
        whole = given.astype(np.int64)
        exact = given.dtype.kind in "iub" or bool((given == whole).all())
    except (TypeError, ValueError, OverflowError):
        exact = False
    if not exact:
        raise InvalidInstanceError(f"{what} must be whole numbers, all rows of one length.")
    return whole


def end_points(edges: Any, num_nodes: int, what: str = "Arc") -> np.ndarray:
    """(n, 2) int64 of pairs of different nodes below num_nodes; a copy.

    Raises:
        InvalidInstanceError: another shape, no pair, fractions, loops, nodes out of range.
    """
    pairs = whole_numbers(edges, f"{what} end points")
    if pairs.ndim != 2 or pairs.shape[1] != 2 or len(pairs) == 0:
        raise InvalidInstanceError(f"{what}s must have shape (n, 2), got {pairs.shape}.")
    if pairs.min() < 0 or pairs.max() >= num_nodes:
        raise InvalidInstanceError(f"{what} end points must lie in 0..{num_nodes - 1}.")
    loops = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
    if len(loops):
        raise InvalidInstanceError(f"{what} {loops[0]} is a self-loop, of no use to any decision; remove it.")
    return pairs
