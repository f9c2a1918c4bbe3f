"""Best-first branch and cut on the edges that survived the root."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from diffcomb.oracles.clock import Clock
from diffcomb.problems.tours.cuts.cuts import SetCut
from diffcomb.problems.tours.lp_search.cutting_planes import tighten
from diffcomb.problems.tours.lp_search.incumbent import Incumbent
from diffcomb.problems.tours.lp_search.linear_program import Side, TourProgram, WarmStart
from diffcomb.problems.tours.lp_search.set_branching import candidate_sets

#: probes of an edge until its lift is extrapolated
_RELIABLE = 2
_INTEGRAL = 1e-6
#: up to here nodes are cheap
FEW_CITIES = 100


@dataclass(frozen=True)
class Effort:
    """Spent on each node: where a node is cheap, thorough probes cost more than the nodes they save.

    Attributes:
        candidates: edges probed. pivots: of a probe. sets: city sets probed. patience: see `tighten`.
        sizes: groups of the local cuts.
    """

    candidates: int
    pivots: int
    sets: int
    patience: int
    sizes: tuple[int, ...]

    @staticmethod
    def of(num_cities: int) -> Effort:
        return Effort(3, 20, 0, 1, ()) if num_cities <= FEW_CITIES else Effort(8, 40, 6, 3, (8,))


#: told the bound and the cost of the best tour, scaled
Watch = Callable[[float, float], None]


@dataclass(order=True)
class Subproblem:
    bound: float
    serial: int
    lower: np.ndarray = field(compare=False)
    upper: np.ndarray = field(compare=False)
    sides: tuple[Side, ...] = field(compare=False)
    basis: WarmStart = field(compare=False)


class LpSearch:
    """Branch and cut below a solved root program.

    Args:
        program: the root, its columns all edges that a better tour can have.
        lower, upper_bounds: of the columns at the root.
        best: the best tour known, improved in place.
        tolerance: improvements below it are not looked for.
        effort: spent on each node.
    """

    def __init__(
        self,
        program: TourProgram,
        lower: np.ndarray,
        upper_bounds: np.ndarray,
        best: Incumbent,
        tolerance: float,
        effort: Effort,
    ) -> None:
        self._program, self._effort = program, effort
        self._best, self._tolerance = best, tolerance
        self._serial = itertools.count()
        self._root = (lower, upper_bounds)
        #: optimum and reduced costs of the root
        self._root_value, self._root_reduced = -np.inf, np.zeros(len(lower))
        #: per column: sum of the lifts per unit and number of probes, at 0 and at 1
        self._lifts = np.zeros((2, len(lower)))
        self._probes = np.zeros((2, len(lower)), dtype=np.int64)

    def run(self, clock: Clock, root_bound: float, watch: Watch | None = None) -> float:
        """Until proven or time is up; the bound on every tour.

        Args:
            watch: called at every node with the bound and the cost of the best tour.
        """
        program = self._program
        heap = [Subproblem(root_bound, next(self._serial), *self._root, (), program.basis())]
        nodes = 0
        while heap and heap[0].bound < self._best.upper - self._tolerance:
            if clock.is_up():
                return heap[0].bound
            node = heapq.heappop(heap)
            nodes += 1
            if watch is not None:
                watch(node.bound, self._best.upper)
            program.drop_slack_cuts(least=program.num_cities // 2)
            self._fix(node, self._root_value, self._root_reduced)
            self._load(node, node.basis)
            rounds = 30 if nodes == 1 else 6
            bound, complete = tighten(
                program,
                self._best.upper,
                self._tolerance,
                clock,
                price=False,
                rounds=rounds,
                patience=self._effort.patience,
                sizes=self._effort.sizes,
            )
            bound = max(bound, node.bound)
            if bound >= self._best.upper - self._tolerance:
                continue
            fractional = np.flatnonzero((program.x > _INTEGRAL) & (program.x < 1 - _INTEGRAL))
            if not complete:  # time was up between two rounds
                heapq.heappush(
                    heap, Subproblem(bound, node.serial, node.lower, node.upper, node.sides, program.basis())
                )
                continue
            if not len(fractional):
                chosen = program.columns[program.x > 0.5]
                self._best.keep(chosen, *program.ends, program.cost_of(chosen))
                continue
            value, reduced = program.value, program.reduced
            self._best.round(program, program.num_cities // 2)
            if bound >= self._best.upper - self._tolerance:
                continue
            self._fix(node, value, reduced)
            if nodes == 1:
                self._shrink(node, value)
                fractional = np.flatnonzero((program.x > _INTEGRAL) & (program.x < 1 - _INTEGRAL))
            for child in self._branch(node, bound, fractional, clock):
                heapq.heappush(heap, child)
        return self._best.upper

    def _fix(self, node: Subproblem, value: float, reduced: np.ndarray) -> None:
        """Bounds of columns that no better tour below the node can leave: reduced cost against the gap.

        Args:
            value, reduced: optimum and reduced costs of the node's program or of one that contains it.
        """
        slack = self._best.upper - self._tolerance - value
        node.upper[(reduced > slack) & (node.lower < 0.5)] = 0.0
        node.lower[(reduced < -slack) & (node.upper > 0.5)] = 1.0

    def _shrink(self, root: Subproblem, value: float) -> None:
        """Without the columns fixed to 0 at the root; its reduced costs serve every later incumbent."""
        kept = self._program.drop_columns(root.upper < 0.5)
        root.lower, root.upper = root.lower[kept], root.upper[kept]
        self._lifts, self._probes = self._lifts[:, kept], self._probes[:, kept]
        self._root_value, self._root_reduced = value, self._program.reduced

    def _load(self, node: Subproblem, basis: WarmStart) -> None:
        """Bounds and branches of a node, and a basis to start from."""
        self._program.set_bounds(node.lower, node.upper)
        self._program.set_sides(node.sides)
        self._program.restore(basis)

    def _branch(
        self, node: Subproblem, bound: float, fractional: np.ndarray, clock: Clock
    ) -> list[Subproblem]:
        """Two children on the edge or city set that lifts the weaker child most (reliability branching).

        The lift per unit of change of an edge is measured by short solves the first few times it is a
        candidate and extrapolated from these afterwards (Achterberg, Koch & Martin 2005). A set S
        parts the tours into x(delta(S)) = 2 and >= 4 (Clochard & Naddef 1993).
        """
        program = self._program
        parts = np.stack([program.x[fractional], 1 - program.x[fractional]])
        measured = np.maximum(self._probes[:, fractional], 1)
        mean = self._lifts.sum() / self._probes.sum() if self._probes.any() else 1.0
        known = self._probes[:, fractional] > 0
        estimates = parts * np.where(known, self._lifts[:, fractional] / measured, mean)
        order = np.argsort(-_score(estimates), kind="stable")[: self._effort.candidates]
        sets = candidate_sets(program, self._effort.sets)
        basis = program.basis()
        best_score, best = -np.inf, self._edge_children(node, bound, basis, int(fractional[order[0]]))
        for k in order:
            if clock.is_up():
                break
            e = int(fractional[k])
            children = self._edge_children(node, bound, basis, e)
            if self._probes[:, e].min() >= _RELIABLE:
                lifts = estimates[:, k]
            else:
                lifts = self._probe(children)
                finite = np.isfinite(lifts)
                self._lifts[finite, e] += lifts[finite] / parts[finite, k]
                self._probes[:, e] += 1
            if _score(lifts) > best_score:
                best_score, best = float(_score(lifts)), children
        for cut in sets:
            if clock.is_up():
                break
            children = self._set_children(node, bound, basis, cut)
            lifts = self._probe(children)
            if _score(lifts) > best_score:
                best_score, best = float(_score(lifts)), children
        return [child for child in best if child.bound < self._best.upper - self._tolerance]

    def _edge_children(self, node: Subproblem, bound: float, basis: WarmStart, edge: int) -> list[Subproblem]:
        """The node with the edge at 0 and at 1."""
        children = []
        for value in (0.0, 1.0):
            lower, upper = node.lower.copy(), node.upper.copy()
            lower[edge] = upper[edge] = value
            children.append(Subproblem(bound, next(self._serial), lower, upper, node.sides, basis))
        return children

    def _set_children(
        self, node: Subproblem, bound: float, basis: WarmStart, cut: SetCut
    ) -> list[Subproblem]:
        """The node with x(delta(S)) = 2 and >= 4. Bounds are fixed in place: each child has its own."""
        return [
            Subproblem(
                bound, next(self._serial), node.lower.copy(), node.upper.copy(), (*node.sides, side), basis
            )
            for side in (Side(cut, 2.0, 2.0), Side(cut, 4.0, np.inf))
        ]

    def _probe(self, children: list[Subproblem]) -> np.ndarray:
        """Lifts of the bound in each child after a few pivots; what of it is proven is kept there."""
        lifts = np.empty(len(children))
        for k, child in enumerate(children):
            self._load(child, child.basis)
            value = max(self._program.solve(max_iterations=self._effort.pivots), child.bound)
            lifts[k] = value - child.bound
            if self._program.solved:
                # an unfinished probe is an estimate (the simplex perturbs costs), no bound
                child.bound = value
        return lifts


def _score(lifts: np.ndarray) -> np.ndarray:
    """The weaker child counts, the stronger one a little: (2, ...) -> (...)."""
    low, high = lifts.min(0), lifts.max(0)
    return low + 0.1 * np.minimum(high, 10 * low + 1e-9)
