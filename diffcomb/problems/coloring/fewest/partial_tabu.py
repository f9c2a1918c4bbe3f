"""PartialCol: tabu search over partial proper colourings."""

from __future__ import annotations

import time

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.coloring.fewest.tabu import BARRED, OPERATIONS_A_SECOND, least_of, place_of
from diffcomb.problems.coloring.graph import Graph


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
    # gamma[v, k]: neighbours of v with colour k, and BARRED where k is tabu
    gamma = np.zeros((num, num_colors), dtype=np.uint16)
    uncolored = np.empty(num, dtype=np.int32)
    place = np.full(num, -1, dtype=np.int32)
    tied = np.empty(num, dtype=np.int32)
    barred = np.empty((num * num_colors, 2), dtype=np.int32)
    step, tenure, low, high, window, increment = state
    count, num_barred = 0, 0
    for v in range(num):
        if colors[v] < 0:
            uncolored[count], place[v] = v, count
            count += 1
        else:
            for i in range(starts[v], starts[v + 1]):
                gamma[neighbours[i], colors[v]] += 1
    for v in range(num):
        for k in range(num_colors):
            if tabu[v, k] > step:
                gamma[v, k] |= BARRED
                barred[num_barred, 0], barred[num_barred, 1] = v, k
                num_barred += 1
    while count > 0 and work > 0:
        step += 1
        work -= count * (num_colors // 16 + 10) + 2 * num_barred + 50
        # a tabu move is allowed when it leads to the best point so far
        least, escape, i = np.int64(2**30), -1, 0
        while i < num_barred:
            v, k = barred[i, 0], barred[i, 1]
            if tabu[v, k] <= step:
                gamma[v, k] ^= BARRED
                num_barred -= 1
                barred[i, 0], barred[i, 1] = barred[num_barred, 0], barred[num_barred, 1]
                continue
            if place[v] >= 0:
                kicks = np.int64(gamma[v, k] ^ BARRED)
                if kicks < least and count + kicks - 1 < fewest:
                    least, escape = kicks, i
            i += 1
        ties = 0
        for i in range(count):
            v = uncolored[i]
            kicks = least_of(gamma[v])
            if kicks >= BARRED or kicks > least:
                continue
            if kicks < least:
                least, ties = kicks, 0
            tied[ties] = v
            ties += 1
        if ties > 0:
            v = tied[np.random.randint(ties)]  # noqa: NPY002
            k = place_of(gamma[v], least)
        elif escape >= 0:
            v, k = barred[escape, 0], barred[escape, 1]
        else:  # everything is tabu: shake
            v = uncolored[np.random.randint(count)]  # noqa: NPY002
            k = np.random.randint(num_colors)  # noqa: NPY002
        count -= 1
        last = uncolored[count]
        uncolored[place[v]], place[last] = last, place[v]
        place[v] = -1
        colors[v] = k
        work -= 2 * (starts[v + 1] - starts[v])
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
            work -= 2 * (starts[u + 1] - starts[u])
            length = tenure if reactive else int(0.6 * count)
            tabu[u, k] = step + length + np.random.randint(10)  # noqa: NPY002
            if gamma[u, k] < BARRED:
                gamma[u, k] |= BARRED
                barred[num_barred, 0], barred[num_barred, 1] = u, k
                num_barred += 1
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
