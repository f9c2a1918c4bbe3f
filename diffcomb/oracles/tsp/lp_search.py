"""Best-first branch and cut on the edges that survived the root."""

from __future__ import annotations

import heapq
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffcomb.oracles.tsp.cutting_planes import tighten
from diffcomb.oracles.tsp.linear_program import TourProgram
from diffcomb.oracles.tsp.outcome import edge_positions
from diffcomb.oracles.tsp.rounding import round_point

_CANDIDATES = 8
_PROBE_ITERATIONS = 40
_INTEGRAL = 1e-6


@dataclass(order=True)
class _Node:
    bound: float
    serial: int
    lower: np.ndarray = field(compare=False)
    upper: np.ndarray = field(compare=False)
    basis: Any = field(compare=False)


@dataclass
class SearchOutcome:
    """Best edge set found (positions among all edges) or None, its cost, the bound, nodes solved."""

    edges: np.ndarray | None
    upper: float
    bound: float
    nodes: int


class LpSearch:
    """Branch and cut below a solved root program.

    Args:
        program: the root, its columns all edges that a better tour can have.
        lower, upper_bounds: of the columns at the root.
        upper: cost of the best tour known. tolerance: improvements below it are not looked for.
        matrix, near: costs (N, N) and neighbours (N, K) for the tours made from fractional points.
    """

    def __init__(
        self,
        program: TourProgram,
        lower: np.ndarray,
        upper_bounds: np.ndarray,
        upper: float,
        tolerance: float,
        matrix: np.ndarray,
        near: np.ndarray,
    ) -> None:
        self._program = program
        self._upper, self._tolerance = upper, tolerance
        self._edges: np.ndarray | None = None
        self._serial = itertools.count()
        self._root = (lower, upper_bounds)
        self._matrix, self._near = matrix, near

    def run(self, deadline: float, root_bound: float) -> SearchOutcome:
        """Until proven or the deadline (time.perf_counter)."""
        program = self._program
        heap = [_Node(root_bound, next(self._serial), *self._root, program.basis())]
        nodes = 0
        while heap and heap[0].bound < self._upper - self._tolerance:
            if time.perf_counter() > deadline:
                return SearchOutcome(self._edges, self._upper, heap[0].bound, nodes)
            node = heapq.heappop(heap)
            nodes += 1
            program.set_bounds(node.lower, node.upper)
            program.restore(node.basis)
            rounds = 30 if nodes == 1 else 6
            bound, complete = tighten(
                program, self._upper, self._tolerance, deadline, price=False, rounds=rounds
            )
            bound = max(bound, node.bound)
            if bound >= self._upper - self._tolerance:
                continue
            fractional = np.flatnonzero((program.x > _INTEGRAL) & (program.x < 1 - _INTEGRAL))
            if not complete:  # the deadline struck between two rounds
                heapq.heappush(heap, _Node(bound, node.serial, node.lower, node.upper, program.basis()))
                continue
            if not len(fractional):
                chosen = program.columns[program.x > 0.5]
                self._edges, self._upper = chosen, float(program.cost_of(chosen))
                continue
            self._round(nodes)
            if bound >= self._upper - self._tolerance:
                continue
            for child in self._branch(node, bound, fractional):
                heapq.heappush(heap, child)
        return SearchOutcome(self._edges, self._upper, self._upper, nodes)

    def _round(self, seed: int) -> None:
        """Keep the tour that the fractional point suggests if it is better."""
        program = self._program
        kicks = program.num_cities // 2
        tour, value = round_point(
            program.tails, program.heads, program.x, self._matrix, self._near, kicks, seed
        )
        if value < self._upper - 1e-12:
            self._edges, self._upper = edge_positions(program.num_cities, tour), value

    def _branch(self, node: _Node, bound: float, fractional: np.ndarray) -> list[_Node]:
        """Two children on the edge whose probes lift the weaker child most (strong branching)."""
        program, x = self._program, self._program.x
        centred = np.abs(x[fractional] - 0.5)
        candidates = fractional[np.argsort(centred, kind="stable")[:_CANDIDATES]]
        basis = program.basis()
        best_score, best, best_bounds = -np.inf, int(candidates[0]), (bound, bound)
        for e in candidates:
            lifted, proven = [], []
            for value in (0.0, 1.0):
                lower, upper = node.lower.copy(), node.upper.copy()
                lower[e] = upper[e] = value
                program.set_bounds(lower, upper)
                program.restore(basis)
                lifted.append(max(program.solve(_PROBE_ITERATIONS), bound))
                # an unfinished probe is an estimate (the simplex perturbs costs), no bound
                proven.append(lifted[-1] if program.solved else bound)
            low, high = min(lifted) - bound, max(lifted) - bound
            score = low + 0.1 * min(high, 10 * low + 1e-9)
            if score > best_score:
                best_score, best, best_bounds = score, int(e), (proven[0], proven[1])
        children = []
        for value, child_bound in zip((0.0, 1.0), best_bounds, strict=True):
            if child_bound >= self._upper - self._tolerance:
                continue
            lower, upper = node.lower.copy(), node.upper.copy()
            lower[best] = upper[best] = value
            children.append(_Node(child_bound, next(self._serial), lower, upper, basis))
        return children
