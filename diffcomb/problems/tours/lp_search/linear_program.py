"""The cutting-plane linear program on HiGHS's dual simplex, growing by rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from diffcomb.compiled import compiled
from diffcomb.errors import SolveFailedError
from diffcomb.oracles.clock import Clock
from diffcomb.problems.tours.cuts.cut_pool import CutPool
from diffcomb.problems.tours.cuts.cuts import Cut, SetCut, ShrunkCut
from diffcomb.quiet_highs import QuietHighs

#: HighsBasisStatus
_BASIC = highspy.HighsBasisStatus.kBasic
#: pivots times rows between two looks at the clock
_PIVOTS = 1_000_000
#: a row of the pool comes back when violated by this much
_VIOLATED = 0.01


@dataclass(frozen=True)
class WarmStart:
    """A basis that survives the removal of rows: statuses of columns and degree rows, and the cuts
    whose slack is not basic with theirs."""

    columns: list[Any]
    degrees: list[Any]
    tight: dict[bytes, tuple[Cut, Any]]


@dataclass(frozen=True)
class Side:
    """lower <= x(delta(S)) <= upper, below a branch on S; cut is the subtour row of S."""

    cut: SetCut
    lower: float
    upper: float


class TourProgram:
    """min cost'x, x(delta(v)) = 2, cuts, 0 <= x <= 1 over a chosen subset of the edges.

    Cuts that go slack leave for a pool, from where they come back when violated.

    Args:
        tails, heads, cost: all edges that may ever become columns (m,), costs of magnitude 1.
        columns: positions of the first columns among them; they must contain a tour.

    Attributes:
        columns: positions of the current columns. cuts: the current rows after the degree rows.
        value; x, reduced: of the last full solve; per column. dual: per row (degree rows first).
        solved: the last solve was finished, its value is exact.
    """

    def __init__(
        self, num_cities: int, tails: np.ndarray, heads: np.ndarray, cost: np.ndarray, columns: np.ndarray
    ) -> None:
        self.num_cities = num_cities
        self._tails, self._heads, self._cost = tails, heads, cost
        self.columns = np.zeros(0, dtype=np.int64)
        self.cuts: list[Cut] = []
        self._keys: set[bytes] = set()
        #: rows whose bounds are those of a branch
        self._sided: set[bytes] = set()
        self._pool = CutPool(num_cities)
        self._highs: Any = QuietHighs()
        for option, value in (
            ("presolve", "off"),
            ("solver", "simplex"),
            ("simplex_strategy", 1),
            ("primal_feasibility_tolerance", 1e-9),
            ("dual_feasibility_tolerance", 1e-9),
        ):
            self._highs.setOptionValue(option, value)
        two = np.full(num_cities, 2.0)
        none = np.zeros(0, dtype=np.int32)
        self._highs.addRows(num_cities, two, two, 0, np.zeros(num_cities, dtype=np.int32), none, np.zeros(0))
        self.x, self.reduced, self.dual = np.zeros(0), np.zeros(0), np.zeros(num_cities)
        self.solved, self.value = False, -np.inf
        self.add_columns(columns)

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Tails and heads of all edges (m,), columns or not."""
        return self._tails, self._heads

    @property
    def tails(self) -> np.ndarray:
        return self._tails[self.columns]

    @property
    def heads(self) -> np.ndarray:
        return self._heads[self.columns]

    @property
    def support(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tails, heads and values of the columns that x uses."""
        used = self.x > 1e-9
        return self.tails[used], self.heads[used], self.x[used]

    def add_columns(self, positions: np.ndarray, clock: Clock | None = None) -> bool:
        """Edges that become variables, with their coefficients in every row; False if time is up before."""
        count = len(positions)
        u, v = self._tails[positions], self._heads[positions]
        blocks = [(np.concatenate([u, v]), np.tile(np.arange(count), 2), np.ones(2 * count))]
        for k, cut in enumerate(self.cuts):
            if clock is not None and clock.is_up():
                return False
            coefficients = cut.coefficients(u, v)
            nonzero = np.flatnonzero(coefficients)
            row = np.full(len(nonzero), self.num_cities + k)
            blocks.append((row, nonzero, coefficients[nonzero]))
        rows, cols, data = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        order = np.argsort(cols, kind="stable")
        starts = np.searchsorted(cols[order], np.arange(count)).astype(np.int32)
        self._highs.addCols(
            count,
            self._cost[positions],
            np.zeros(count),
            np.ones(count),
            len(data),
            starts,
            rows[order].astype(np.int32),
            data[order],
        )
        self.columns = np.concatenate([self.columns, positions])
        return True

    def add_cuts(self, cuts: list[Cut]) -> int:
        """Append rows that are not there yet; returns how many."""
        fresh = self.fresh(cuts)
        if not fresh:
            return 0
        self._keys.update(cut.key for cut in fresh)
        coefficients = np.stack([cut.coefficients(self.tails, self.heads) for cut in fresh])
        rows, cols = np.nonzero(coefficients)
        starts = np.searchsorted(rows, np.arange(len(fresh))).astype(np.int32)
        lower = np.array([cut.rhs for cut in fresh])
        data = coefficients[rows, cols]
        self._highs.addRows(
            len(fresh), lower, np.full(len(fresh), np.inf), len(data), starts, cols.astype(np.int32), data
        )
        self.cuts.extend(fresh)
        self.dual = np.concatenate([self.dual, np.zeros(len(fresh))])
        return len(fresh)

    def fresh(self, cuts: list[Cut]) -> list[Cut]:
        """Those cuts that are not rows yet, each once."""
        distinct = {cut.key: cut for cut in cuts}
        return [cut for key, cut in distinct.items() if key not in self._keys]

    def drop_columns(self, gone: np.ndarray) -> np.ndarray:
        """Remove those columns marked in `gone` (all 0) that are not basic; returns who stays."""
        status = self._highs.getBasis().col_status
        gone = gone & np.array([s != _BASIC for s in status], dtype=bool)
        positions = np.flatnonzero(gone).astype(np.int32)
        self._highs.deleteCols(len(positions), positions)
        self.columns, self.x, self.reduced = self.columns[~gone], self.x[~gone], self.reduced[~gone]
        return ~gone

    def drop_slack_cuts(self, least: int = 20) -> None:
        """Move the rows whose slack is basic to the pool, if they are `least` many; the optimum stays."""
        status = self._highs.getBasis().row_status[self.num_cities :]
        slack = np.array([s == _BASIC for s in status], dtype=bool)
        if slack.sum() < least:
            return
        positions = (self.num_cities + np.flatnonzero(slack)).astype(np.int32)
        self._highs.deleteRows(len(positions), positions)
        self.dual = np.delete(self.dual, positions)
        left = [self.cuts[k] for k in np.flatnonzero(slack)]
        self._keys.difference_update(cut.key for cut in left)
        self._pool.add(left)
        self.cuts = [cut for cut, gone in zip(self.cuts, slack, strict=True) if not gone]

    def remember(self, cuts: Sequence[Cut]) -> None:
        """Put cuts into the pool."""
        self._pool.add(cuts)

    def violated_pool_cuts(self) -> list[Cut]:
        """Cuts of the pool that x violates."""
        return self._pool.violated(*self.support, self._keys, _VIOLATED)

    def set_bounds(self, lower: np.ndarray, upper: np.ndarray) -> None:
        """Bounds of all columns."""
        count = len(self.columns)
        self._highs.changeColsBounds(count, np.arange(count, dtype=np.int32), lower, upper)

    def set_sides(self, sides: Sequence[Side]) -> None:
        """Bounds of x(delta(S)) for the branched sets of a node; all others are subtour rows again."""
        wanted = {side.cut.key: side for side in sides}
        self.add_cuts([side.cut for side in sides])
        for k, cut in enumerate(self.cuts):
            if cut.key in wanted:
                side = wanted[cut.key]
                self._highs.changeRowBounds(self.num_cities + k, side.lower, side.upper)
            elif cut.key in self._sided:
                self._highs.changeRowBounds(self.num_cities + k, cut.rhs, np.inf)
        self._sided = set(wanted)

    def basis(self) -> WarmStart:
        """Of the last solve."""
        basis = self._highs.getBasis()
        n, rows = self.num_cities, basis.row_status
        tight = {
            cut.key: (cut, status)
            for cut, status in zip(self.cuts, rows[n:], strict=True)
            if status != _BASIC
        }
        return WarmStart(basis.col_status, rows[:n], tight)

    def restore(self, start: WarmStart) -> None:
        """Start from an earlier basis: its tight rows come back if they left, other rows are basic."""
        self.add_cuts([cut for key, (cut, _) in start.tight.items() if key not in self._keys])
        basis = highspy.HighsBasis()
        basis.col_status = start.columns
        slack = (None, _BASIC)
        basis.row_status = [*start.degrees, *(start.tight.get(cut.key, slack)[1] for cut in self.cuts)]
        basis.valid = True
        self._highs.setBasis(basis)

    def solve(self, clock: Clock | None = None, max_iterations: int | None = None) -> float:
        """Optimal value, +inf when infeasible.

        Cut short by the clock or an iteration limit the value may be an estimate only; `solved` says
        whether it is exact. Probes with an iteration limit leave x alone.
        """
        clock = clock or Clock()
        known = highspy.HighsModelStatus
        # the simplex method stops now and then, so that Ctrl-C and the end of a batch are noticed
        pause = max(200, _PIVOTS // (self.num_cities + len(self.cuts)))
        while True:
            self._highs.setOptionValue("simplex_iteration_limit", max_iterations or pause)
            # HiGHS adds up the time of all runs
            left = max(clock.left, 1e-3)
            self._highs.setOptionValue("time_limit", self._highs.getRunTime() + left)
            self._highs.run()
            status = self._highs.getModelStatus()
            if status != known.kIterationLimit or max_iterations is not None or clock.is_up():
                break
        self.solved = status in (known.kOptimal, known.kInfeasible)
        if status == known.kInfeasible:
            return np.inf
        if status not in (known.kOptimal, known.kIterationLimit, known.kTimeLimit):
            raise SolveFailedError(f"HiGHS stopped with {self._highs.modelStatusToString(status)}.")
        value = float(self._highs.getInfo().objective_function_value)
        if max_iterations is None and self.solved:
            solution = self._highs.getSolution()
            self.x, self.reduced = np.asarray(solution.col_value), np.asarray(solution.col_dual)
            self.dual, self.value = np.asarray(solution.row_dual), value
        return value

    def cost_of(self, positions: np.ndarray) -> float:
        """Sum of the costs of some edges."""
        return float(self._cost[positions].sum())

    def reduced_costs(self) -> np.ndarray:
        """cost - A'dual of every edge (m,), columns or not."""
        n = self.num_cities
        priced = [(y, cut) for y, cut in zip(self.dual[n:], self.cuts, strict=True) if y > 0.0]
        sums = [(y, cut.sets) for y, cut in priced if isinstance(cut, SetCut)]
        sets = np.concatenate([np.zeros((0, n), dtype=bool), *(own for _, own in sums)])
        price = np.repeat([y for y, _ in sums], [len(own) for _, own in sums])
        reduced = _reduced_costs(self._cost, self._tails, self._heads, self.dual[:n], sets, price)
        for y, cut in priced:
            if isinstance(cut, ShrunkCut):
                _charge(reduced, self._tails, self._heads, cut.group, y * cut.weight)
        return reduced


@compiled
def _reduced_costs(
    cost: np.ndarray,
    tails: np.ndarray,
    heads: np.ndarray,
    potential: np.ndarray,
    sets: np.ndarray,
    price: np.ndarray,
) -> np.ndarray:
    """cost_uv - potential_u - potential_v - the prices of all sets that part u and v."""
    n = len(potential)
    # x(delta(S)) charges both ends and takes back twice inside; S or its complement alike
    charge = potential.copy()
    inner = np.zeros((n, n))
    members = np.empty(n, dtype=np.int64)
    for k in range(len(sets)):
        side = 2 * sets[k].sum() <= n
        count = 0
        for v in range(n):
            if sets[k, v] == side:
                members[count] = v
                count += 1
                charge[v] += price[k]
        for i in range(count):
            for j in range(i + 1, count):
                inner[members[i], members[j]] += 2.0 * price[k]
    reduced = np.empty(len(cost))
    for e in range(len(cost)):
        u, v = tails[e], heads[e]
        reduced[e] = cost[e] - charge[u] - charge[v] + inner[min(u, v), max(u, v)]
    return reduced


@compiled
def _charge(
    reduced: np.ndarray, tails: np.ndarray, heads: np.ndarray, group: np.ndarray, price: np.ndarray
) -> None:
    """reduced_uv -= price between the groups of u and v, in place."""
    for e in range(len(reduced)):
        reduced[e] -= price[group[tails[e]], group[heads[e]]]
