"""TabuCol: a proper colouring with a given number of colours, by tabu search on conflicts."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled, inlined
from diffcomb.problems.coloring.dsatur import dsatur
from diffcomb.problems.coloring.graph import Graph, Neighbours

#: elementary operations a second, roughly; budgets are counted in operations so that runs repeat
OPERATIONS_A_SECOND = 1_700_000_000
#: bit of gamma[v, k] that is set while vertex v may not take colour k: the least of a row is then the
#: best move, found by a loop of vector instructions. Above every degree.
BARRED = np.uint16(2**15)


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
    found, conflicts = TabuCol(graph, num_colors, seed).run(start, seconds, None)
    return found if conflicts == 0 else None


class TabuCol:
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
        self._neighbours = graph.neighbours
        self._rng = np.random.default_rng(seed)
        self.spent = 0.0

    def run(
        self, start: np.ndarray, seconds: float, deadline: float | None, max_steps: int = 2**30
    ) -> tuple[np.ndarray, int]:
        """From colours `start` (N,) -> best colours seen and its number of conflicting edges.

        Ends after `seconds` nominal seconds, `max_steps` moves or at the deadline, of time.thread_time.
        """
        colors = start.astype(np.int32)
        walk = _Walk(colors, colors.copy(), np.zeros((len(colors), self.num_colors), dtype=np.int32))
        fewest, step, self.spent = int(np.iinfo(np.int64).max), 0, 0.0
        while self.spent < seconds and fewest > 0 and step < max_steps:
            if deadline is not None and time.thread_time() > deadline:
                break
            work = int(min(self._CHUNK, seconds - self.spent) * OPERATIONS_A_SECOND) + 1
            seed = int(self._rng.integers(2**31))
            fewest, step, left = _tabucol(self._neighbours, walk, fewest, step, max_steps, work, seed)
            self.spent += (work - left) / OPERATIONS_A_SECOND
        return walk.best.astype(np.int64), int(fewest)


class _Walk(NamedTuple):
    """Between calls of the kernel.

    Attributes:
        colors, best: (N,) int32, now and at the fewest conflicts.
        tabu: (N, K) int32, the step up to which vertex v may not take colour k.
    """

    colors: np.ndarray
    best: np.ndarray
    tabu: np.ndarray


class _Tables(NamedTuple):
    """Within a call of the kernel.

    Attributes:
        gamma: (N, K) uint16, neighbours of v with colour k, and BARRED where k is tabu or v's own colour.
        own: (N,) int64, conflicts of v.
        conflicting, place: (N,) int32, vertices with conflicts, and where each is in that list, or -1.
        barred: (., 2) int32, the pairs that are tabu: one more a step for at most 0.6 N + 9 steps.
    """

    gamma: np.ndarray
    own: np.ndarray
    conflicting: np.ndarray
    place: np.ndarray
    barred: np.ndarray


@compiled
def least_of(row: np.ndarray) -> np.int64:
    """min of a row of gamma."""
    least = row[0]
    for k in range(1, len(row)):
        least = min(least, row[k])
    return np.int64(least)


@compiled
def place_of(row: np.ndarray, value: int) -> int:
    """One of the places where `row` is `value`, each as likely."""
    found, ties = -1, 0
    for k in range(len(row)):
        if row[k] == value:
            ties += 1
            if ties == 1 or np.random.randint(ties) == 0:  # noqa: NPY002
                found = k
    return found


@compiled
def _tabucol(
    graph: Neighbours, walk: _Walk, fewest: int, step: int, max_steps: int, work: int, seed: int
) -> tuple[int, int, int]:
    colors, best, tabu = walk
    num, num_colors = tabu.shape
    np.random.seed(seed)  # noqa: NPY002 - numba's own generator, local to compiled code
    tables = _Tables(
        np.zeros((num, num_colors), dtype=np.uint16),
        np.empty(num, dtype=np.int64),
        np.empty(num, dtype=np.int32),
        np.full(num, -1, dtype=np.int32),
        np.empty((num + 16, 2), dtype=np.int32),
    )
    gamma, own, conflicting, _, barred = tables
    tied = np.empty(num, dtype=np.int32)
    count, num_barred = _fill(graph, walk, step, tables)
    conflicts = own.sum() // 2
    if conflicts < fewest:
        fewest = conflicts
        best[:] = colors
    while conflicts > 0 and work > 0 and step < max_steps:
        step += 1
        work -= count * (num_colors // 16 + 10) + 2 * num_barred + 50
        num_barred, escape, least = _expire(tables, tabu, num_barred, step, fewest - conflicts)
        ties = 0
        for i in range(count):
            v = conflicting[i]
            low = least_of(gamma[v])
            if low >= BARRED or low - own[v] > least:
                continue
            if low - own[v] < least:
                least, ties = low - own[v], 0
            tied[ties] = v
            ties += 1
        if ties > 0:
            v = tied[np.random.randint(ties)]  # noqa: NPY002
            new = place_of(gamma[v], least + own[v])
            gamma[v, new] |= BARRED
        elif escape >= 0:
            v, new = barred[escape, 0], barred[escape, 1]
            num_barred -= 1
            barred[escape, 0], barred[escape, 1] = barred[num_barred, 0], barred[num_barred, 1]
        else:
            continue
        # the colour left behind stays barred, now as tabu
        old = colors[v]
        conflicts += least
        tabu[v, old] = step + int(0.6 * count) + np.random.randint(10)  # noqa: NPY002
        barred[num_barred, 0], barred[num_barred, 1] = v, old
        num_barred += 1
        work -= 2 * (graph.starts[v + 1] - graph.starts[v])
        count = _recolor(graph, colors, tables, count, v, new)
        own[v] += least
        if own[v] == 0:
            count = _take_out(tables, count, v)
        if conflicts < fewest:
            fewest = conflicts
            best[:] = colors
    return fewest, step, work


@compiled
def _fill(graph: Neighbours, walk: _Walk, step: int, tables: _Tables) -> tuple[int, int]:
    """Tables of the colours as they are; numbers of conflicting vertices and of barred pairs."""
    colors, _, tabu = walk
    gamma, own, conflicting, place, barred = tables
    num, num_colors = tabu.shape
    for v in range(num):
        for i in range(graph.starts[v], graph.starts[v + 1]):
            gamma[v, colors[graph.ends[i]]] += 1
    count, num_barred = 0, 0
    for v in range(num):
        own[v] = gamma[v, colors[v]]
        if own[v] > 0:
            conflicting[count], place[v] = v, count
            count += 1
        gamma[v, colors[v]] |= BARRED
        for k in range(num_colors):
            if tabu[v, k] > step and k != colors[v]:
                gamma[v, k] |= BARRED
                barred[num_barred, 0], barred[num_barred, 1] = v, k
                num_barred += 1
    return count, num_barred


@inlined
def _expire(tables: _Tables, tabu: np.ndarray, num_barred: int, step: int, room: int) -> tuple[int, int, int]:
    """Pairs no longer tabu leave the list; the best tabu move whose change is below `room`, or -1.

    Such a move leads to the best point so far, so it is allowed.
    """
    gamma, own, _, place, barred = tables
    least, escape, i = 2**30, -1, 0
    while i < num_barred:
        v, k = barred[i, 0], barred[i, 1]
        if tabu[v, k] <= step:
            gamma[v, k] ^= BARRED
            num_barred -= 1
            barred[i, 0], barred[i, 1] = barred[num_barred, 0], barred[num_barred, 1]
            continue
        if place[v] >= 0:
            change = np.int64(gamma[v, k] ^ BARRED) - own[v]
            if change < least and change < room:
                least, escape = change, i
        i += 1
    return num_barred, escape, least


@inlined
def _recolor(graph: Neighbours, colors: np.ndarray, tables: _Tables, count: int, v: int, new: int) -> int:
    """v takes colour `new`; the neighbours' tables follow, and the number of conflicting ones."""
    gamma, own, conflicting, place, _ = tables
    old = colors[v]
    colors[v] = new
    for i in range(graph.starts[v], graph.starts[v + 1]):
        u = graph.ends[i]
        gamma[u, old] -= 1
        gamma[u, new] += 1
        if colors[u] == old:
            own[u] -= 1
            if own[u] == 0:
                count = _take_out(tables, count, u)
        elif colors[u] == new:
            own[u] += 1
            if own[u] == 1:
                conflicting[count], place[u] = u, count
                count += 1
    return count


@inlined
def _take_out(tables: _Tables, count: int, v: int) -> int:
    """v has no conflict left."""
    conflicting, place = tables.conflicting, tables.place
    count -= 1
    last = conflicting[count]
    conflicting[place[v]], place[last] = last, place[v]
    place[v] = -1
    return count
