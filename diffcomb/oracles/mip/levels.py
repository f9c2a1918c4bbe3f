"""Costs of several magnitudes: forbidden choices at 1e9 beside prices of 3 and 5.

A solver proves an optimum to about 1e-9 of the largest cost, so that beside a price of 1e12 the prices of
ordinary choices do not count. What is large is taken out here before an answer is called optimal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum

import numpy as np
from scipy import sparse

from diffcomb.oracles.batch import Solved
from diffcomb.oracles.mip.form import column_scale
from diffcomb.oracles.mip.search import Search
from diffcomb.oracles.result import Status
from diffcomb.program import Program

#: a second solve pays when the largest cost still open is this much smaller
_FINER = 64.0
#: costs paid are of two levels where one is this much above the sum of all smaller
_APART = 1000.0
#: a first solve's bound holds to this part of its value at least
_COARSE = 1e-6
#: largest whole number of a base that costs are split to
_DIGITS = 2.0**36
#: distances of continuous coordinates, in the range of their column, that are rounding
_NOISE = 4e-9
#: levels that are told apart
_DEEPEST = 12


@dataclass(frozen=True)
class Box:
    """lower <= x <= upper, and what of cost'x it leaves open."""

    lower: np.ndarray
    upper: np.ndarray

    def open_costs(self, cost: np.ndarray) -> np.ndarray:
        return np.where(self.lower < self.upper, cost, 0.0)

    def settled(self, cost: np.ndarray) -> float:
        """Cost of the coordinates that are fixed."""
        fixed = self.lower == self.upper
        return fsum(cost[fixed] * self.lower[fixed])

    def scale(self, cost: np.ndarray, whole: np.ndarray) -> float:
        """The largest cost in a solver's units."""
        sizes = np.abs(self.open_costs(cost))
        if not whole.all():
            sizes *= np.where(whole, 1.0, column_scale(self.upper - self.lower))
        return float(sizes.max(initial=0.0))

    def losses(self, x: np.ndarray, cost: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """|cost_j| times the distance of x_j from its cheaper bound: sums to cost'x less its least value."""
        distance = np.where(cost >= 0, x - self.lower, self.upper - x)
        if not whole.all():
            # a solver does not tell a continuous coordinate from its bound any closer
            noise = np.where(whole, 0.0, _NOISE * column_scale(self.upper - self.lower))
            distance = np.where(distance > noise, distance, 0.0)
        return np.abs(cost) * distance

    def within(self, loss: float, cost: np.ndarray, whole: np.ndarray) -> Box:
        """What points that lose at most `loss` can reach."""
        reach = np.divide(loss, np.abs(cost), out=np.full(len(cost), np.inf), where=cost != 0)
        reach = np.where(whole, np.floor(reach * (1 + 1e-9) + 1e-9), reach * (1 + 1e-6))
        lower = np.where(cost >= 0, self.lower, np.maximum(self.lower, self.upper - reach))
        upper = np.where(cost >= 0, np.minimum(self.upper, self.lower + reach), self.upper)
        return Box(lower, upper)


def decide(search: Search, cost: np.ndarray, depth: int = 0) -> Solved:
    """min cost'x, sums of which do not overflow.

    Called optimal when the gap is closed relative to what is open once forced and forbidden choices are
    taken out.

    1. Solve. The answer's loss L bounds every |cost_j| |x_j - cheaper bound|: coordinates whose next step
       costs more are fixed, and where that makes the largest cost much smaller the rest is solved anew.
    2. Where large costs are paid all the same, split costs to a base B as q_j B + r_j, r_j <= B / 2: with a
       whole number t = sum q_j (x_j - bound_j) - T, exact as a row, the objective B t + sum r_j x_j is of
       the size of the small ones. Solve that.
    """
    kept = search.kept
    box, whole = Box(kept.lower, kept.upper), kept.program.integer
    if depth == 0 and (box.lower > box.upper).any():
        return Solved(None, np.inf, Status.INFEASIBLE)
    best = _solve(search, cost, box)
    while best.status is Status.OPTIMAL and best.decision is not None:
        loss = fsum(box.losses(best.decision, cost, whole))
        if loss == 0.0:
            return best
        if not box.scale(cost, whole) > _FINER * loss:
            break
        closer = box.within(loss, cost, whole)
        if not box.scale(cost, whole) > _FINER * closer.scale(cost, whole):
            break
        box = closer
        if not whole.all():  # continuous columns are scaled by their range
            search = replace(search, kept=kept.narrowed(box.lower, box.upper))
        again = _solve(search, cost, box)
        best = _better(best, again, cost)
    if best.status is not Status.OPTIMAL or best.decision is None or depth == _DEEPEST:
        return best
    split = _split_costs(kept.program, cost, best.decision, box)
    if split is None:
        return best
    finer = replace(search, kept=kept.of(split.program))
    again = decide(finer, split.cost, depth + 1)
    found = None if again.decision is None else again.decision[: len(cost)]
    return _better(best, Solved(found, split.constant + again.bound, again.status), cost)


def _solve(search: Search, cost: np.ndarray, box: Box) -> Solved:
    found = search.minimize(box.open_costs(cost), box.lower, box.upper)
    return replace(found, bound=found.bound + box.settled(cost))


def _better(first: Solved, second: Solved, cost: np.ndarray) -> Solved:
    """The second solve's answer; where it did not finish, the better point, not proven."""
    if second.status is Status.OPTIMAL:
        return second
    points = [s.decision for s in (first, second) if s.decision is not None]
    values = [fsum(cost * x) for x in points]
    bound = -np.inf if second.status is Status.INFEASIBLE else second.bound
    return Solved(points[int(np.argmin(values))], bound, Status.FEASIBLE)


@dataclass(frozen=True)
class _Split:
    program: Program
    cost: np.ndarray
    constant: float


def _split_costs(program: Program, cost: np.ndarray, x: np.ndarray, box: Box) -> _Split | None:
    """Step 2 of `decide`, where x pays costs of two levels; None where it does not."""
    losses, weights = box.losses(x, cost, program.integer), np.abs(box.open_costs(cost))
    paid = np.sort(losses[losses > 0])
    if not len(paid) or paid[-1] <= _APART * paid[0]:
        return None
    sums = np.cumsum(paid)
    apart = np.flatnonzero((paid[1:] > _APART * sums[:-1]) & (weights.max() > _APART * sums[:-1]))
    if not len(apart):
        return None
    rest, next_up = sums[apart[0]], paid[apart[0] + 1]
    small = weights[weights <= np.sqrt(rest) * np.sqrt(next_up)]
    base = 2.0 ** np.ceil(np.log2(max(4 * rest, 4 * small.max(initial=0.0), weights.max() / _DIGITS)))
    large = weights > base / 2
    q = np.where(large, np.where(program.integer, np.round(weights / base), weights / base), 0.0)
    r = np.where(large, np.where(program.integer, weights - q * base, 0.0), weights)
    sign = np.where(cost >= 0, 1.0, -1.0)
    cheap = np.where(cost >= 0, box.lower, box.upper)
    used = np.flatnonzero(q)
    distance = np.abs(x - cheap)
    total, level = fsum(q * distance), fsum(r * distance)
    # no better point has B t + sum r d above the level of this one
    spread = float((np.abs(r) * (box.upper - box.lower))[used].sum()) / base
    top = np.floor(level / base + spread) + 1.0
    bottom = max(-total, -np.ceil(_COARSE * total) - top)
    row = sparse.csr_array(
        (np.r_[(sign * q)[used], -1.0], (np.zeros(len(used) + 1, int), np.r_[used, len(x)])),
        shape=(1, len(x) + 1),
    )
    wide = sparse.csr_array(
        (program.A.data, program.A.indices, program.A.indptr), (len(program.b), len(x) + 1)
    )
    finer = replace(
        program,
        A=sparse.csr_array(sparse.vstack([wide, row], format="csr")),
        b=np.r_[program.b, total + fsum((sign * q * cheap)[used])],
        G=sparse.csr_array(
            (program.G.data, program.G.indices, program.G.indptr), (len(program.h), len(x) + 1)
        ),
        integral=False,
        lower=np.r_[box.lower, bottom],
        upper=np.r_[box.upper, top],
        integer=np.r_[program.integer, bool(program.integer[used].all())],
    )
    is_open = box.lower < box.upper
    constant = base * total + fsum(((cost - sign * r) * cheap)[is_open]) + box.settled(cost)
    return _Split(finer, np.r_[sign * r, base], constant)
