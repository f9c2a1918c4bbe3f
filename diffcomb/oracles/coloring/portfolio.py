"""Searches for a proper colouring with K colours that take turns, each going on where it stopped."""

from __future__ import annotations

import numpy as np

from diffcomb.oracles.coloring.evolution import ColoringEvolution, smallest_class_last
from diffcomb.oracles.coloring.partial_tabu import PartialTabuSearch
from diffcomb.oracles.coloring.tabu import TabuSearch
from diffcomb.problems import Graph

#: tabu steps a vertex between two crossings, see `ColoringEvolution`
_STEPS_A_VERTEX = 30
#: the searches and their parts of a round. PartialCol with reactive tenures colours Leighton graphs,
#: with fixed ones geometric and planted ones; HEAD, the strongest on random graphs, needs the most.
SEARCHES = {"partialcol": 1.0, "reactive partialcol": 1.0, "tabucol": 0.5, "head": 2.0}


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
            "partialcol": PartialTabuSearch(graph, num_colors, seed, reactive=False),
            "reactive partialcol": PartialTabuSearch(graph, num_colors, seed, reactive=True),
        }
        self._tabu = TabuSearch(graph, num_colors, seed)
        partial = np.where(start < num_colors, start, -1)
        self._reached = dict.fromkeys(self._partial, partial) | {"tabucol": self.head.parents[0]}

    def run(self, name: str, seconds: float, deadline: float | None) -> np.ndarray | None:
        """A proper colouring (N,) with at most K colours by the search `name`, or None.

        Args:
            seconds: nominal, see `OPERATIONS_A_SECOND`. deadline: of time.thread_time.
        """
        if name == "head":
            return self.head.run(seconds, deadline)
        search = self._tabu if name == "tabucol" else self._partial[name]
        found, left = search.run(self._reached[name], seconds, deadline)
        self._reached[name] = found
        return found if left == 0 else None
