"""PartialCol: tabu search over partial proper colourings."""

from __future__ import annotations

import time

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.oracles.coloring.tabu import OPERATIONS_A_SECOND
from diffcomb.problems import Graph


class PartialTabuSearch:
    """PartialCol (Blochliger & Zufferey 2008), beside TabuCol: its classes are always stable sets.

    A move colours an uncoloured vertex and uncolours the neighbours in the way; coming back to the
    class that was left is tabu for a tenure + random(10) steps.

    Args:
        seed: of ties and tenures.
        reactive: the tenure grows while the number of uncoloured vertices stands still, and shrinks
            while it moves (their FOO scheme): short tenures, for Leighton graphs. False: 0.6 times
            the number of uncoloured vertices, which finds planted classes and geometric structure.
    """

    #: nominal seconds between two looks at the clock
    _CHUNK = 0.1

    def __init__(self, graph: Graph, num_colors: int, seed: int, *, reactive: bool) -> None:
        self.num_colors, self.reactive = num_colors, reactive
        self._starts = np.concatenate([[0], np.cumsum(graph.degrees)]).astype(np.int64)
        self._neighbours = np.nonzero(graph.adjacency)[1].astype(np.int32)
        self._rng = np.random.default_rng(seed)

    def run(self, start: np.ndarray, seconds: float, deadline: float | None) -> tuple[np.ndarray, int]:
        """From colours `start` (N,), -1 = none -> best partial colouring and its uncoloured vertices.

        Args:
            start: without conflicts. seconds: nominal; see `OPERATIONS_A_SECOND`.
        """
        colors = start.astype(np.int32)
        best = colors.copy()
        fewest, spent = int((colors < 0).sum()), 0.0
        tabu = np.zeros((len(colors), self.num_colors), dtype=np.int32)
        # step, tenure, lowest and highest count of the window, its length, increment
        state = np.array([0, 0, fewest, fewest, 500, 5], dtype=np.int64)
        while spent < seconds and fewest > 0:
            if deadline is not None and time.thread_time() > deadline:
                break
            work = int(min(self._CHUNK, seconds - spent) * OPERATIONS_A_SECOND) + 1
            seed = int(self._rng.integers(2**31))
            fewest = _partialcol(
                self._starts, self._neighbours, colors, tabu, best, fewest, state, work, seed, self.reactive
            )
            spent += self._CHUNK
        return best.astype(np.int64), int(fewest)


@compiled
def _partialcol(
    starts: np.ndarray,
    neighbours: np.ndarray,
    colors: np.ndarray,
    tabu: np.ndarray,
    best: np.ndarray,
    fewest: int,
    state: np.ndarray,
    work: int,
    seed: int,
    reactive: bool,
) -> int:
    num, num_colors = tabu.shape
    np.random.seed(seed)  # noqa: NPY002 - numba's own generator, local to compiled code
    # gamma[v, k]: neighbours of v with colour k
    gamma = np.zeros((num, num_colors), dtype=np.int16)
    uncolored = np.empty(num, dtype=np.int32)
    place = np.full(num, -1, dtype=np.int32)
    count = 0
    for v in range(num):
        if colors[v] < 0:
            uncolored[count], place[v] = v, count
            count += 1
        else:
            for i in range(starts[v], starts[v + 1]):
                gamma[neighbours[i], colors[v]] += 1
    step, tenure, low, high, window, increment = state
    while count > 0 and work > 0:
        step += 1
        work -= count * num_colors + 50
        move_vertex, move_color, move_kicks, ties = -1, -1, 2**30, 0
        for i in range(count):
            v = uncolored[i]
            for k in range(num_colors):
                kicks = gamma[v, k]
                if kicks > move_kicks:
                    continue
                # a tabu move is allowed when it leads to the best point so far
                if tabu[v, k] > step and count + kicks - 1 >= fewest:
                    continue
                if kicks < move_kicks:
                    move_vertex, move_color, move_kicks, ties = v, k, kicks, 1
                else:
                    ties += 1
                    if np.random.randint(ties) == 0:  # noqa: NPY002
                        move_vertex, move_color = v, k
        if move_vertex < 0:  # everything is tabu: shake
            move_vertex = uncolored[np.random.randint(count)]  # noqa: NPY002
            move_color = np.random.randint(num_colors)  # noqa: NPY002
        v, k = move_vertex, move_color
        count -= 1
        last = uncolored[count]
        uncolored[place[v]], place[last] = last, place[v]
        place[v] = -1
        colors[v] = k
        work -= 4 * (starts[v + 1] - starts[v])
        for i in range(starts[v], starts[v + 1]):
            u = neighbours[i]
            gamma[u, k] += 1
            if colors[u] != k:
                continue
            colors[u] = -1
            uncolored[count], place[u] = u, count
            count += 1
            for j in range(starts[u], starts[u + 1]):
                gamma[neighbours[j], k] -= 1
            work -= 4 * (starts[u + 1] - starts[u])
            length = tenure if reactive else int(0.6 * count)
            tabu[u, k] = step + length + np.random.randint(10)  # noqa: NPY002
        if count < fewest:
            fewest = count
            best[:] = colors
        if not reactive:
            continue
        low, high = min(low, count), max(high, count)
        if step % window == 0:
            if high - low <= 1:
                tenure += increment
                window = (500, 1000, 5000)[np.random.randint(3)]  # noqa: NPY002
                increment = (5, 10, 20)[np.random.randint(3)]  # noqa: NPY002
            elif tenure > 0:
                tenure -= 1
            low, high = count, count
    state[:] = (step, tenure, low, high, window, increment)
    return fewest
