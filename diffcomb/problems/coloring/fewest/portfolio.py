"""Searches for a proper colouring with K colours that take turns, each going on where it stopped."""

from __future__ import annotations

import numpy as np

from diffcomb.problems.coloring.fewest.evolution import ColoringEvolution, smallest_class_last
from diffcomb.problems.coloring.fewest.partialcol import PartialCol
from diffcomb.problems.coloring.fewest.tabucol import TabuCol
from diffcomb.problems.coloring.graph import Graph

#: tabu steps a vertex between two crossings, see `ColoringEvolution`
_STEPS_A_VERTEX = 30
#: the searches and their parts of a round. PartialCol with reactive tenures colours Leighton graphs,
#: with fixed ones geometric and planted ones; HEAD, the strongest on random graphs, needs the most.
SEARCHES = {"partialcol": 1.0, "reactive partialcol": 1.0, "tabucol": 1.0, "head": 2.0}
#: a search is passed over while it misses by so many times as much as the best of them, and by more
#: than this: on Latin squares PartialCol leaves dozens of vertices where TabuCol has three conflicts
_FAR, _NEAR = 4, 16


class ColoringPortfolio:
    """The searches of `SEARCHES` at one number of colours.

    Args:
        start: colours (N,) of a proper colouring, usually with one class more. The searches start
            from its classes, the smallest dissolved.
        other: colours (N,) of a second parent for HEAD; None = drawn at random.
    """

    def __init__(
        self, graph: Graph, num_colors: int, start: np.ndarray, other: np.ndarray | None, seed: int
    ) -> None:
        self.num_colors = num_colors
        start = smallest_class_last(start)
        parents = [start] if other is None else [start, smallest_class_last(other)]
        steps = _STEPS_A_VERTEX * graph.num_vertices
        self.head = ColoringEvolution(graph, num_colors, parents, seed, steps)
        self._partial = {
            "partialcol": PartialCol(graph, num_colors, seed, reactive=False),
            "reactive partialcol": PartialCol(graph, num_colors, seed, reactive=True),
        }
        self._tabu = TabuCol(graph, num_colors, seed)
        partial = np.where(start < num_colors, start, -1)
        self._reached = dict.fromkeys(self._partial, partial) | {"tabucol": self.head.parents[0]}
        self._missing: dict[str, int] = {}  # conflicts or uncoloured vertices at its best

    def run(self, name: str, seconds: float, deadline: float | None) -> np.ndarray | None:
        """A proper colouring (N,) with at most K colours by the search `name`, or None.

        Args:
            seconds: nominal, see `OPERATIONS_A_SECOND`. deadline: of time.thread_time.
        """
        if self._missing.get(name, 0) > max(_NEAR, _FAR * min(self._missing.values(), default=0)):
            return None
        if name == "head":
            found = self.head.run(seconds, deadline)
            self._missing[name] = self.head.fewest
            return found
        search = self._tabu if name == "tabucol" else self._partial[name]
        self._reached[name], self._missing[name] = search.run(self._reached[name], seconds, deadline)
        return self._reached[name] if self._missing[name] == 0 else None
