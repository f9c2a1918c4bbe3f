"""Best-first branch and cut on the edges that survived the root."""

from __future__ import annotations

import heapq
import itertools
import time
from dataclasses import dataclass, field

import numpy as np

from diffcomb.oracles.tsp.cutting_planes import tighten
from diffcomb.oracles.tsp.linear_program import TourProgram, WarmStart
from diffcomb.oracles.tsp.outcome import edge_positions
from diffcomb.oracles.tsp.rounding import round_point

#: candidates probed at a node and pivots of a probe, up to 100 cities and beyond: where a node is cheap,
#: thorough probes cost more than the nodes they save
_QUICK_PROBES, _THOROUGH_PROBES, _FEW_CITIES = (3, 20), (8, 40), 100
#: probes of an edge until its lift is extrapolated
_RELIABLE = 2
_INTEGRAL = 1e-6


@dataclass(order=True)
class _Node:
    bound: float
    serial: int
    lower: np.ndarray = field(compare=False)
    upper: np.ndarray = field(compare=False)
    basis: WarmStart = field(compare=False)


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
        few = program.num_cities <= _FEW_CITIES
        self._candidates, self._pivots = _QUICK_PROBES if few else _THOROUGH_PROBES
        self._patience = 1 if few else 3
        #: optimum and reduced costs of the root
        self._root_value, self._root_reduced = -np.inf, np.zeros(len(lower))
        #: per column: sum of the lifts per unit and number of probes, at 0 and at 1
        self._lifts = np.zeros((2, len(lower)))
        self._probes = np.zeros((2, len(lower)), dtype=np.int64)

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
            program.drop_slack_cuts(least=program.num_cities // 2)
            self._fix(node, self._root_value, self._root_reduced)
            program.set_bounds(node.lower, node.upper)
            program.restore(node.basis)
            rounds = 30 if nodes == 1 else 6
            bound, complete = tighten(
                program,
                self._upper,
                self._tolerance,
                deadline,
                price=False,
                rounds=rounds,
                patience=self._patience,
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
            value, reduced = program.value, program.reduced
            self._round(nodes)
            if bound >= self._upper - self._tolerance:
                continue
            self._fix(node, value, reduced)
            if nodes == 1:
                self._shrink(node, value)
                fractional = np.flatnonzero((program.x > _INTEGRAL) & (program.x < 1 - _INTEGRAL))
            for child in self._branch(node, bound, fractional):
                heapq.heappush(heap, child)
        return SearchOutcome(self._edges, self._upper, self._upper, nodes)

    def _fix(self, node: _Node, value: float, reduced: np.ndarray) -> None:
        """Bounds of columns that no better tour below the node can leave: reduced cost against the gap.

        Args:
            value, reduced: optimum and reduced costs of the node's program or of one that contains it.
        """
        slack = self._upper - self._tolerance - value
        node.upper[(reduced > slack) & (node.lower < 0.5)] = 0.0
        node.lower[(reduced < -slack) & (node.upper > 0.5)] = 1.0

    def _shrink(self, root: _Node, value: float) -> None:
        """Without the columns fixed to 0 at the root; its reduced costs serve every later incumbent."""
        kept = self._program.drop_columns(root.upper < 0.5)
        root.lower, root.upper = root.lower[kept], root.upper[kept]
        self._lifts, self._probes = self._lifts[:, kept], self._probes[:, kept]
        self._root_value, self._root_reduced = value, self._program.reduced

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
        """Two children on the edge that lifts the weaker child most (reliability branching).

        The lift per unit of change is measured by short solves the first few times an edge is a
        candidate and extrapolated from these afterwards (Achterberg, Koch & Martin 2005).
        """
        program = self._program
        parts = np.stack([program.x[fractional], 1 - program.x[fractional]])
        measured = np.maximum(self._probes[:, fractional], 1)
        mean = self._lifts.sum() / self._probes.sum() if self._probes.any() else 1.0
        known = self._probes[:, fractional] > 0
        estimates = parts * np.where(known, self._lifts[:, fractional] / measured, mean)
        order = np.argsort(-_score(estimates), kind="stable")[: self._candidates]
        basis = program.basis()
        best_score, best, best_bounds = -np.inf, int(fractional[order[0]]), [bound, bound]
        for k in order:
            e = int(fractional[k])
            bounds = [bound, bound]
            if self._probes[:, e].min() >= _RELIABLE:
                lifts = estimates[:, k]
            else:
                lifts, bounds = self._probe(node, e, bound, basis)
                finite = np.isfinite(lifts)
                self._lifts[finite, e] += lifts[finite] / parts[finite, k]
                self._probes[:, e] += 1
            score = float(_score(lifts))
            if score > best_score:
                best_score, best, best_bounds = score, e, bounds
        children = []
        for value, child_bound in zip((0.0, 1.0), best_bounds, strict=True):
            if child_bound >= self._upper - self._tolerance:
                continue
            lower, upper = node.lower.copy(), node.upper.copy()
            lower[best] = upper[best] = value
            children.append(_Node(child_bound, next(self._serial), lower, upper, basis))
        return children

    def _probe(
        self, node: _Node, edge: int, bound: float, basis: WarmStart
    ) -> tuple[np.ndarray, list[float]]:
        """Lifts of the bound with the edge at 0 and at 1 after a few pivots, and what of it is proven."""
        program = self._program
        lifted, proven = [], []
        for value in (0.0, 1.0):
            lower, upper = node.lower.copy(), node.upper.copy()
            lower[edge] = upper[edge] = value
            program.set_bounds(lower, upper)
            program.restore(basis)
            lifted.append(max(program.solve(max_iterations=self._pivots), bound))
            # an unfinished probe is an estimate (the simplex perturbs costs), no bound
            proven.append(lifted[-1] if program.solved else bound)
        return np.array(lifted) - bound, proven


def _score(lifts: np.ndarray) -> np.ndarray:
    """The weaker child counts, the stronger one a little: (2, ...) -> (...)."""
    low, high = lifts.min(0), lifts.max(0)
    return low + 0.1 * np.minimum(high, 10 * low + 1e-9)
