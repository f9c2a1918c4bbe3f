"""The arcs of a graph, as compiled code reads them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Arcs(NamedTuple):
    """Arc k goes from tails[k] to heads[k]; by_tail[first[v]:first[v + 1]] leave node v."""

    tails: np.ndarray
    heads: np.ndarray
    first: np.ndarray
    by_tail: np.ndarray

    @staticmethod
    def of(tails: np.ndarray, heads: np.ndarray, num_nodes: int) -> Arcs:
        """tails, heads: (n,) int64."""
        by_tail = np.argsort(tails, kind="stable")
        return Arcs(tails, heads, np.searchsorted(tails[by_tail], np.arange(num_nodes + 1)), by_tail)
