"""TabuCol: a proper colouring with a given number of colours, by tabu search on conflicts."""

from __future__ import annotations

import time

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems import Graph
from diffcomb.problems.dsatur import dsatur

#: elementary operations a second, roughly; budgets are counted in operations so that runs repeat
OPERATIONS_A_SECOND = 1_000_000_000


def find_coloring(graph: Graph, num_colors: int, *, seed: int = 0, seconds: float = 1.0) -> np.ndarray | None:
    """A proper colouring (N,) with at most `num_colors` colours, or None if none turned up.

    DSATUR first, then one TabuCol run from its classes.

    Args:
        seconds: effort of the tabu search, in nominal seconds (counted operations, not a clock).
    """
    colors = dsatur(graph, seed=seed)
    if colors.max() < num_colors:
        return colors
    rng = np.random.default_rng(seed)
    start = np.where(colors < num_colors, colors, rng.integers(num_colors, size=len(colors)))
    found, conflicts = TabuSearch(graph, num_colors, seed).run(start, seconds, None)
    return found if conflicts == 0 else None


class TabuSearch:
    """TabuCol (Hertz & de Werra 1987) with the tenure of Galinier & Hao (1999).

    A move gives a conflicting vertex another colour; the best non-tabu move is taken, and going back
    is tabu for 0.6 (conflicting vertices) + random(10) steps. One step costs O(conflicting K + degree).

    Args:
        seed: of ties and tenures.

    Attributes:
        spent: nominal seconds of the last `run`.
    """

    #: nominal seconds between two looks at the clock
    _CHUNK = 0.1

    def __init__(self, graph: Graph, num_colors: int, seed: int) -> None:
        self.num_colors = num_colors
        self._starts = np.concatenate([[0], np.cumsum(graph.degrees)]).astype(np.int64)
        self._neighbours = np.nonzero(graph.adjacency)[1].astype(np.int32)
        self._rng = np.random.default_rng(seed)
        self.spent = 0.0

    def run(
        self, start: np.ndarray, seconds: float, deadline: float | None, max_steps: int = 2**30
    ) -> tuple[np.ndarray, int]:
        """From colours `start` (N,) -> best colours seen and its number of conflicting edges.

        Ends after `seconds` nominal seconds, `max_steps` moves or at the deadline, of time.thread_time.
        """
        colors = start.astype(np.int32)
        best = colors.copy()
        fewest, step, self.spent = int(np.iinfo(np.int64).max), 0, 0.0
        tabu = np.zeros((len(colors), self.num_colors), dtype=np.int32)
        while self.spent < seconds and fewest > 0 and step < max_steps:
            if deadline is not None and time.thread_time() > deadline:
                break
            work = int(min(self._CHUNK, seconds - self.spent) * OPERATIONS_A_SECOND) + 1
            seed = int(self._rng.integers(2**31))
            fewest, step, left = _tabucol(
                self._starts, self._neighbours, colors, tabu, best, fewest, step, max_steps, work, seed
            )
            self.spent += (work - left) / OPERATIONS_A_SECOND
        return best.astype(np.int64), int(fewest)


@compiled
def _tabucol(
    starts: np.ndarray,
    neighbours: np.ndarray,
    colors: np.ndarray,
    tabu: np.ndarray,
    best: np.ndarray,
    fewest: int,
    step: int,
    max_steps: int,
    work: int,
    seed: int,
) -> tuple[int, int, int]:
    num, num_colors = tabu.shape
    np.random.seed(seed)  # noqa: NPY002 - numba's own generator, local to compiled code
    # gamma[v, k]: neighbours of v with colour k
    gamma = np.zeros((num, num_colors), dtype=np.int16)
    for v in range(num):
        for i in range(starts[v], starts[v + 1]):
            gamma[v, colors[neighbours[i]]] += 1
    conflicting = np.empty(num, dtype=np.int32)
    place = np.full(num, -1, dtype=np.int32)
    count, twice = 0, 0
    for v in range(num):
        if gamma[v, colors[v]] > 0:
            conflicting[count], place[v] = v, count
            count += 1
            twice += gamma[v, colors[v]]
    conflicts = twice // 2
    if conflicts < fewest:
        fewest = conflicts
        best[:] = colors
    while conflicts > 0 and work > 0 and step < max_steps:
        step += 1
        work -= count * num_colors + 50
        move_vertex, move_color, move_delta, ties = -1, -1, 2**30, 0
        for i in range(count):
            v = conflicting[i]
            here = gamma[v, colors[v]]
            for k in range(num_colors):
                delta = gamma[v, k] - here
                if delta > move_delta or k == colors[v]:
                    continue
                # a tabu move is allowed when it leads to the best point so far
                if tabu[v, k] > step and conflicts + delta >= fewest:
                    continue
                if delta < move_delta:
                    move_vertex, move_color, move_delta, ties = v, k, delta, 1
                else:
                    ties += 1
                    if np.random.randint(ties) == 0:  # noqa: NPY002
                        move_vertex, move_color = v, k
        if move_vertex < 0:
            continue
        v, old = move_vertex, colors[move_vertex]
        colors[v] = move_color
        conflicts += move_delta
        tabu[v, old] = step + int(0.6 * count) + np.random.randint(10)  # noqa: NPY002
        work -= 4 * (starts[v + 1] - starts[v])
        for i in range(starts[v], starts[v + 1]):
            u = neighbours[i]
            gamma[u, old] -= 1
            gamma[u, move_color] += 1
            clash = gamma[u, colors[u]] > 0
            if clash and place[u] < 0:
                conflicting[count], place[u] = u, count
                count += 1
            elif not clash and place[u] >= 0:
                count -= 1
                last = conflicting[count]
                conflicting[place[u]], place[last] = last, place[u]
                place[u] = -1
        clash = gamma[v, move_color] > 0
        if not clash and place[v] >= 0:
            count -= 1
            last = conflicting[count]
            conflicting[place[v]], place[last] = last, place[v]
            place[v] = -1
        if conflicts < fewest:
            fewest = conflicts
            best[:] = colors
    return fewest, step, work
