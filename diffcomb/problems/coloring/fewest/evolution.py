"""Two tabu searches that exchange colour classes: for graphs where one search stalls."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.coloring.fewest.tabucol import TabuCol
from diffcomb.problems.coloring.graph import Graph


class ColoringEvolution:
    """HEAD (Moalic & Gondran 2018, "Variations on memetic algorithms for graph coloring problems").

    A population of two; children take the largest classes of both parents in turn (the greedy
    partition crossover of Galinier & Hao 1999) and are improved by TabuCol. Every ten generations a
    parent is replaced by the best of an earlier cycle; when the two are equal, both start afresh.
    `run` may be called again to go on where it stopped.

    Args:
        parents: colours (N,) of the two to start from; colours >= num_colors are dealt out at random,
            and a missing parent is drawn at random.
        steps: of tabu search a child. Small: many crossings of poor colourings; large: few of good
            ones. Their best runs on 1000 vertices took 30,000 to 50,000.
    """

    def __init__(
        self, graph: Graph, num_colors: int, parents: Sequence[np.ndarray], seed: int, steps: int
    ) -> None:
        self.num_colors, self.steps = num_colors, steps
        self._rng = np.random.default_rng(seed)
        self._search = TabuCol(graph, num_colors, seed)
        self.parents = [self._dealt(parent) for parent in parents[:2]]
        while len(self.parents) < 2:
            self.parents.append(self._random(graph.num_vertices))
        #: the parent that is not the proper colouring found
        self.other = 1
        #: conflicts of the best child so far
        self.fewest = int(np.iinfo(np.int64).max)
        self._improved = False
        self._elites: list[tuple[int, np.ndarray]] = []
        self._generation = 0

    def run(self, seconds: float, deadline: float | None) -> np.ndarray | None:
        """A proper colouring, or None after `seconds` nominal seconds or at the deadline."""
        spent = 0.0
        while spent < seconds and (deadline is None or time.thread_time() < deadline):
            if self._improved:
                first, second = self.parents
                children = [self._cross(first, second), self._cross(second, first)]
            else:
                children = self.parents
            scores = []
            for i, child in enumerate(children):
                self.parents[i], conflicts = self._search.run(child, seconds, deadline, self.steps)
                spent += self._search.spent
                self.fewest = min(self.fewest, conflicts)
                if conflicts == 0:
                    self.other = 1 - i
                    return self.parents[i]
                scores.append(conflicts)
            self._improved = True
            self._remember(scores)
        return None

    def _remember(self, scores: list[int]) -> None:
        best = int(np.argmin(scores))
        self._generation += 1
        if not self._elites or self._generation % 10 == 1:
            self._elites = [*self._elites[-1:], (scores[best], self.parents[best].copy())]
        elif scores[best] < self._elites[-1][0]:
            self._elites[-1] = (scores[best], self.parents[best].copy())
        if self._generation % 10 == 0 and len(self._elites) == 2:
            self.parents[0] = self._elites[0][1].copy()
        if _same_partition(self.parents[0], self.parents[1]):
            self.parents = [self._random(len(self.parents[0])) for _ in range(2)]
            self._elites, self._improved = [], False

    def _dealt(self, colors: np.ndarray) -> np.ndarray:
        return np.where(colors < self.num_colors, colors, self._random(len(colors)))

    def _random(self, size: int) -> np.ndarray:
        return self._rng.integers(self.num_colors, size=size)

    def _cross(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        child = _greedy_partition(first, second, self.num_colors)
        missing = child < 0
        child[missing] = self._rng.integers(self.num_colors, size=int(missing.sum()))
        return child


def smallest_class_last(colors: np.ndarray) -> np.ndarray:
    """The same classes (N,), numbered by falling size."""
    sizes = np.bincount(colors)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[colors]


def _same_partition(first: np.ndarray, second: np.ndarray) -> bool:
    pairs = len(np.unique(first * (second.max() + 1) + second))
    return pairs == len(np.unique(first)) == len(np.unique(second))


@compiled
def _greedy_partition(first: np.ndarray, second: np.ndarray, num_colors: int) -> np.ndarray:
    """Classes of the child: the largest one left of each parent in turn; -1 for what is left over."""
    num = len(first)
    child = np.full(num, -1, dtype=np.int64)
    sizes = np.zeros((2, num_colors), dtype=np.int64)
    for v in range(num):
        sizes[0, first[v]] += 1
        sizes[1, second[v]] += 1
    for k in range(num_colors):
        turn = k % 2
        source = first if turn == 0 else second
        largest = sizes[turn].argmax()
        for v in range(num):
            if child[v] < 0 and source[v] == largest:
                child[v] = k
                sizes[0, first[v]] -= 1
                sizes[1, second[v]] -= 1
    return child
