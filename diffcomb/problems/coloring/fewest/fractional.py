"""The fractional chromatic number by column generation: a lower bound on the fewest colours."""

from __future__ import annotations

import time

import numpy as np

from diffcomb.problems.coloring.fewest.stable_set import heaviest_stable_set
from diffcomb.problems.coloring.graph import Graph
from diffcomb.quiet_highs import QuietHighs

#: duals become integer weights of this many units, so that the bound is exact arithmetic
_UNITS = 1_000_000


def fractional_bound(
    graph: Graph,
    colors: np.ndarray,
    *,
    stop_at: int,
    deadline: float | None = None,
    node_limit: int = 2_000_000,
) -> int:
    """A proven lower bound on the chromatic number, at best ceil(chi_f).

        chi_f = min sum_S lambda_S  s.t.  sum over S containing v of lambda_S >= 1,  S stable sets

    For integer weights w and W the weight of a heaviest stable set, every colouring needs at least
    sum w / W classes (Farley 1990; Held, Cook & Sewell 2012 for the safe rounding). The weights are
    the rounded duals of a restricted linear program, W comes from branch and bound.

    Args:
        colors: a proper colouring; its classes are the first columns.
        stop_at: a bound so high is enough.
        deadline: of time.thread_time.
        node_limit: of one pricing; beyond it the bound reached so far is returned.
    """
    program = _Master(graph.num_vertices)
    for k in range(int(colors.max()) + 1):
        program.add(np.flatnonzero(colors == k))
    bound = 1
    while deadline is None or time.thread_time() < deadline:
        value, duals = program.solve()
        weights = np.floor(np.maximum(duals, 0.0) * _UNITS).astype(np.int64)
        columns = _greedy_columns(graph.adjacency, duals)
        if not columns:
            members, heaviest, proven = heaviest_stable_set(
                graph.adjacency, weights, node_limit, enough=int(1.1 * _UNITS)
            )
            if proven:
                bound = max(bound, -(-int(weights.sum()) // max(heaviest, 1)))
            if bound >= min(stop_at, int(np.ceil(value - 1e-6))):
                return bound
            if heaviest <= _UNITS * (1 + 1e-6):
                return bound  # no column pays: what is left is rounding or the node limit
            columns = [_maximal(graph.adjacency, members)]
        for column in columns:
            program.add(column)
    return bound


class _Master:
    """min sum lambda over the columns added so far, by the simplex method."""

    def __init__(self, num_vertices: int) -> None:
        self._highs = QuietHighs()
        ones, nothing = np.ones(num_vertices), np.zeros(0)
        self._highs.addRows(
            num_vertices,
            ones,
            np.full(num_vertices, np.inf),
            0,
            np.zeros(num_vertices, dtype=np.int32),
            nothing.astype(np.int32),
            nothing,
        )

    def add(self, members: np.ndarray) -> None:
        self._highs.addCol(1.0, 0.0, np.inf, len(members), members.astype(np.int32), np.ones(len(members)))

    def solve(self) -> tuple[float, np.ndarray]:
        self._highs.run()
        return self._highs.getInfo().objective_function_value, np.asarray(self._highs.getSolution().row_dual)


def _greedy_columns(adjacency: np.ndarray, duals: np.ndarray) -> list[np.ndarray]:
    """Different stable sets of dual weight above 1: from each vertex, always the heaviest that fits."""
    order = np.argsort(-duals, kind="stable")
    columns = {}
    for start in order[duals[order] > 1e-9]:
        blocked = adjacency[start].copy()
        blocked[start] = True
        members = [start]
        while True:
            free = order[~blocked[order]]
            if len(free) == 0:
                break
            members.append(free[0])
            blocked |= adjacency[free[0]]
            blocked[free[0]] = True
        if duals[members].sum() > 1 + 1e-3:
            column = np.sort(np.array(members))
            columns[column.tobytes()] = column
    return list(columns.values())


def _maximal(adjacency: np.ndarray, members: np.ndarray) -> np.ndarray:
    """`members` extended to a maximal stable set."""
    blocked = adjacency[members].any(0)
    blocked[members] = True
    grown = list(members)
    while not blocked.all():
        v = int(np.flatnonzero(~blocked)[0])
        grown.append(v)
        blocked |= adjacency[v]
        blocked[v] = True
    return np.sort(np.array(grown))
