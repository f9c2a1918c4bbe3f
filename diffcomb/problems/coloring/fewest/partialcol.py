"""PartialCol: tabu search over partial proper colourings."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled, inlined
from diffcomb.problems.coloring.fewest.tabucol import BARRED, OPERATIONS_A_SECOND, least_of, place_of
from diffcomb.problems.coloring.graph import Graph, Neighbours


class PartialCol:
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
        self._neighbours = graph.neighbours
        self._rng = np.random.default_rng(seed)

    def run(self, start: np.ndarray, seconds: float, deadline: float | None) -> tuple[np.ndarray, int]:
        """From colours `start` (N,), -1 = none -> best partial colouring and its uncoloured vertices.

        Args:
            start: without conflicts. seconds: nominal; see `OPERATIONS_A_SECOND`.
        """
        colors = start.astype(np.int32)
        fewest, spent = int((colors < 0).sum()), 0.0
        tabu = np.zeros((len(colors), self.num_colors), dtype=np.int32)
        pace = np.array([0, 0, fewest, fewest, 500, 5], dtype=np.int64)
        walk = _Walk(colors, colors.copy(), tabu, pace)
        while spent < seconds and fewest > 0:
            if deadline is not None and time.thread_time() > deadline:
                break
            work = int(min(self._CHUNK, seconds - spent) * OPERATIONS_A_SECOND) + 1
            seed = int(self._rng.integers(2**31))
            fewest = _partialcol(self._neighbours, walk, fewest, work, seed, self.reactive)
            spent += self._CHUNK
        return walk.best.astype(np.int64), int(fewest)


class _Walk(NamedTuple):
    """Between calls of the kernel.

    Attributes:
        colors, best: (N,) int32, now and with the fewest uncoloured; -1 = none.
        tabu: (N, K) int32, the step up to which vertex v may not take colour k.
        pace: (6,) int64: step, tenure, lowest and highest count of the window, its length, increment.
    """

    colors: np.ndarray
    best: np.ndarray
    tabu: np.ndarray
    pace: np.ndarray


class _Tables(NamedTuple):
    """Within a call of the kernel.

    Attributes:
        gamma: (N, K) uint16, neighbours of v with colour k, and BARRED where k is tabu.
        uncolored, place: (N,) int32, vertices without colour, and where each is in that list, or -1.
        barred: (N K, 2) int32, the pairs that are tabu.
    """

    gamma: np.ndarray
    uncolored: np.ndarray
    place: np.ndarray
    barred: np.ndarray


@compiled
def _partialcol(graph: Neighbours, walk: _Walk, fewest: int, work: int, seed: int, reactive: bool) -> int:
    colors, best, tabu, pace = walk
    num, num_colors = tabu.shape
    np.random.seed(seed)  # noqa: NPY002 - numba's own generator, local to compiled code
    tables = _Tables(
        np.zeros((num, num_colors), dtype=np.uint16),
        np.empty(num, dtype=np.int32),
        np.full(num, -1, dtype=np.int32),
        np.empty((num * num_colors, 2), dtype=np.int32),
    )
    gamma, uncolored, place, barred = tables
    tied = np.empty(num, dtype=np.int32)
    step, tenure, low, high, window, increment = pace
    count, num_barred = _fill(graph, walk, step, tables)
    while count > 0 and work > 0:
        step += 1
        work -= count * (num_colors // 16 + 10) + 2 * num_barred + 50
        num_barred, escape, least = _expire(tables, tabu, num_barred, step, fewest - count + 1)
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
        work -= 2 * (graph.starts[v + 1] - graph.starts[v])
        for i in range(graph.starts[v], graph.starts[v + 1]):
            u = graph.ends[i]
            gamma[u, k] += 1
            if colors[u] != k:
                continue
            colors[u] = -1
            uncolored[count], place[u] = u, count
            count += 1
            for j in range(graph.starts[u], graph.starts[u + 1]):
                gamma[graph.ends[j], k] -= 1
            work -= 2 * (graph.starts[u + 1] - graph.starts[u])
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
    pace[:] = (step, tenure, low, high, window, increment)
    return fewest


@compiled
def _fill(graph: Neighbours, walk: _Walk, step: int, tables: _Tables) -> tuple[int, int]:
    """Tables of the colours as they are; numbers of uncoloured vertices and of barred pairs."""
    gamma, uncolored, place, barred = tables
    count, num_barred = 0, 0
    num, num_colors = walk.tabu.shape
    for v in range(num):
        if walk.colors[v] < 0:
            uncolored[count], place[v] = v, count
            count += 1
        else:
            for i in range(graph.starts[v], graph.starts[v + 1]):
                gamma[graph.ends[i], walk.colors[v]] += 1
    for v in range(num):
        for k in range(num_colors):
            if walk.tabu[v, k] > step:
                gamma[v, k] |= BARRED
                barred[num_barred, 0], barred[num_barred, 1] = v, k
                num_barred += 1
    return count, num_barred


@inlined
def _expire(
    tables: _Tables, tabu: np.ndarray, num_barred: int, step: int, room: int
) -> tuple[int, int, np.int64]:
    """Pairs no longer tabu leave the list; the best tabu move that kicks out fewer than `room`, or -1.

    Such a move leads to the best point so far, so it is allowed.
    """
    gamma, _, place, barred = tables
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
            if kicks < least and kicks < room:
                least, escape = kicks, i
        i += 1
    return num_barred, escape, least
