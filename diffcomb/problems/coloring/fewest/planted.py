"""Colour classes hidden in a random-looking graph: a guess at their number, and a search there."""

from __future__ import annotations

import numpy as np

from diffcomb.problems.coloring.dsatur import dsatur
from diffcomb.problems.coloring.fewest.partialcol import PartialCol
from diffcomb.problems.coloring.fewest.stable_set import heaviest_stable_set
from diffcomb.problems.coloring.graph import Graph

_RESTARTS = 10
_NODES = 300_000


def planted_number(graph: Graph, seed: int = 0) -> int:
    """ceil(N / a) for the largest stable set, of a vertices, of ten short searches: a guess at K.

    A graph made around K large classes (flat1000_50_0) looks random to a search that comes down from
    above, but its stable sets are far larger than N / K for the K such a search reaches.
    """
    rng = np.random.default_rng(seed)
    largest = 1
    weights = np.ones(graph.num_vertices, dtype=np.int64)
    for _ in range(_RESTARTS):
        order = rng.permutation(graph.num_vertices)
        _, size, proven = heaviest_stable_set(
            graph.adjacency[np.ix_(order, order)], weights, _NODES, enough=graph.num_vertices
        )
        largest = max(largest, size)
        if proven:
            break
    return -(-graph.num_vertices // largest)


def find_planted(
    graph: Graph, num_colors: int, *, seed: int, seconds: float, deadline: float | None
) -> np.ndarray:
    """A proper colouring (N,): PartialCol with K colours, and DSATUR's colours on what it leaves."""
    start = np.full(graph.num_vertices, -1, dtype=np.int64)
    found, _ = PartialCol(graph, num_colors, seed, reactive=False).run(start, seconds, deadline)
    left = np.flatnonzero(found < 0)
    found[left] = num_colors + dsatur(graph.induced(left), seed=seed)
    return found
