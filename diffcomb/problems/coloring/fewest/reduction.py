"""Vertices that can be coloured last: low degree, and dominated ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffcomb.problems.coloring.graph import Graph


@dataclass(frozen=True)
class Reduced:
    """What is left of a graph when it is to be coloured with K colours.

    Attributes:
        graph: induced on `kept`; it has a K-colouring if and only if the whole graph has one.
        kept: vertices left, ascending.
        removed: (vertex, dominator) in the order of removal; dominator -1 means degree below K.
    """

    whole: Graph
    graph: Graph
    kept: np.ndarray
    removed: list[tuple[int, int]]

    def extend(self, colors: np.ndarray) -> np.ndarray:
        """A proper colouring of `graph` -> one of the whole graph, with at most max(K, k) colours."""
        full = np.full(self.whole.num_vertices, -1, dtype=np.int64)
        full[self.kept] = colors
        for vertex, dominator in reversed(self.removed):
            if dominator >= 0:
                full[vertex] = full[dominator]
            else:
                taken = set(full[self.whole.adjacency[vertex]].tolist())
                full[vertex] = next(k for k in range(len(taken) + 1) if k not in taken)
        return full


def reduce_graph(graph: Graph, num_colors: int) -> Reduced:
    """Remove vertices of degree < K, and u when some v not adjacent to u sees all neighbours of u.

    Both rules are repeated until neither applies.
    """
    alive = np.ones(graph.num_vertices, dtype=bool)
    removed: list[tuple[int, int]] = []
    adjacency = graph.adjacency
    while True:
        before = len(removed)
        degree = adjacency[:, alive].sum(1)
        low = list(np.flatnonzero(alive & (degree < num_colors)))
        while low:
            u = int(low.pop())
            if not alive[u]:
                continue
            alive[u] = False
            removed.append((u, -1))
            degree[adjacency[u]] -= 1
            low.extend(np.flatnonzero(adjacency[u] & alive & (degree < num_colors)))
        vertices = np.flatnonzero(alive)
        # float32 counts are exact far beyond any number of vertices here
        inside = adjacency[np.ix_(vertices, vertices)].astype(np.float32)
        common = inside @ inside
        # common[u, v] = degree of u: v sees all neighbours of u
        sees_all = (common == inside.sum(1)[:, None]) & (inside == 0)
        np.fill_diagonal(sees_all, False)
        for i in np.flatnonzero(sees_all.any(1)):
            dominators = vertices[np.flatnonzero(sees_all[i])]
            dominators = dominators[alive[dominators]]
            if len(dominators):
                alive[vertices[i]] = False
                removed.append((int(vertices[i]), int(dominators[0])))
        if len(removed) == before:
            kept = np.flatnonzero(alive)
            return Reduced(graph, graph.induced(kept), kept, removed)
