"""Costs on a common scale, and how small an improvement still counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from diffcomb.oracles.magnitudes import Extremes, ordinary_ceilings, summable
from diffcomb.problems.tours.edges import complete_graph

#: real costs: tours this much better, relative to the largest centred cost, are not looked for
RELATIVE_TOLERANCE = 1e-10
#: a tolerance beyond this share of the ordinary costs proves nothing about them
_PROVES = 1e-6
#: integers beyond this are treated as real: one unit would drown in the simplex's tolerances
_LARGEST_INTEGER = 1e6


@dataclass(frozen=True)
class ScaledCosts:
    """cost = (theta - shift) / scale, at most 1 in magnitude where ordinary: no unit changes a tour.

    Attributes:
        cost: (n,) float64.
        extremes: edges priced out of tours or into them, whose costs are above 1 or below -1; None if there
            are none.
        shift, scale: tour values are theta'z = scale * cost'z + N * shift.
        tolerance: nodes are pruned at `best tour - tolerance`. Just under one unit of the grid when
            all costs are multiples of one integer, else `RELATIVE_TOLERANCE`.
        proves: whether the tolerance is small beside all costs that matter.
    """

    cost: np.ndarray
    extremes: Extremes | None
    shift: float
    scale: float
    tolerance: float
    proves: bool

    @staticmethod
    def of(theta: np.ndarray, num_cities: int) -> ScaledCosts:
        """On the scale of the ordinary costs, if their edges and the forced ones connect all cities."""
        for ceiling in ordinary_ceilings(theta):
            if _connects(theta < ceiling, num_cities):
                return _scaled(theta, num_cities, Extremes.of(theta, ceiling))
        return ScaledCosts.plain(theta, num_cities)

    @staticmethod
    def plain(theta: np.ndarray, num_cities: int) -> ScaledCosts:
        """On the scale of the largest cost: nothing is extreme."""
        return _scaled(theta, num_cities, None)

    def clipped(self, reward: float) -> tuple[np.ndarray, float]:
        """The cost with extremes no further out than 1 + reward, and what tours with all forced edges get
        back for it; no tour gets more.

        What is hardly further out stays as it is: no cost moves by less than a unit of the grid.
        """
        cost = self.cost.copy()
        if self.extremes is None:
            return cost, 0.0
        limit = 1.0 + reward
        cost[self.cost > limit + 2.0] = limit
        raised = self.cost < -limit - 2.0
        cost[raised] = -limit
        return cost, float((self.cost[raised] + limit).sum())

    def settled(self, z: np.ndarray, reward: float) -> bool:
        """Whether a tour z that is optimal for the clipped costs is optimal.

        It is if it has no banned edge and all forced ones: then no tour's cost has moved in its favour. It is
        also if all extremes have one price, beyond the difference of any two tours: then it has the fewest.
        """
        if self.extremes is None or self.extremes.settled(z):
            return True
        prices = self.cost[~self.extremes.ordinary]
        enough = 2.0 * z.sum()
        return bool((prices == prices[0]).all()) and min(reward, abs(float(prices[0]))) > enough

    def value(self, scaled: float, num_cities: int) -> float:
        """A scaled tour length or bound in the units of theta."""
        return self.scale * scaled + num_cities * self.shift


def _scaled(theta: np.ndarray, num_cities: int, extremes: Extremes | None) -> ScaledCosts:
    theta, exponent = summable(theta)
    ordinary = theta if extremes is None else theta[extremes.ordinary]
    shift = float(ordinary.sum()) / len(ordinary)
    centred = theta - shift
    spread = centred if extremes is None else ordinary - shift
    scale = max(float(spread.max()), -float(spread.min())) or 1.0
    grid = _integer_grid(theta, ordinary)
    tolerance = max(grid * (1 - 1e-3) / scale, RELATIVE_TOLERANCE)
    proves = extremes is not None or grid > 0.0 or _is_fine(RELATIVE_TOLERANCE * scale, theta, num_cities)
    shift, unit = np.ldexp(shift, exponent), np.ldexp(scale, exponent)
    return ScaledCosts(centred / scale, extremes, float(shift), float(unit), tolerance, proves)


def _is_fine(tolerance: float, theta: np.ndarray, num_cities: int) -> bool:
    """Whether a tolerance is small beside all orders of costs; fewer than a tour has edges are chance."""
    ceilings = ordinary_ceilings(theta)
    small = (ceiling for ceiling in ceilings if (np.abs(theta) < ceiling).sum() >= num_cities)
    return all(tolerance <= _PROVES * ceiling for ceiling in small)


def _connects(allowed: np.ndarray, num_cities: int) -> bool:
    """Whether these edges (n,) leave every city two and hang together, as a tour must."""
    tails, heads = (ends[allowed] for ends in complete_graph(num_cities))
    if np.bincount(np.concatenate([tails, heads]), minlength=num_cities).min() < 2:
        return False
    graph = sparse.csr_array((np.ones(len(tails)), (tails, heads)), shape=(num_cities, num_cities))
    return int(connected_components(graph, directed=False)[0]) == 1


def _integer_grid(theta: np.ndarray, ordinary: np.ndarray) -> float:
    """The largest g such that all costs are integer multiples of g >= 1, 0 if they are not integers.

    Ordinary costs must not be large either; extreme ones may be.
    """
    if not len(ordinary) or ordinary[0] != np.rint(ordinary[0]):
        return 0.0
    if np.abs(ordinary).max() > _LARGEST_INTEGER or not np.array_equal(theta, np.rint(theta)):
        return 0.0
    grid = float(np.gcd.reduce(np.abs(ordinary).astype(np.int64)))
    return grid if grid == 0.0 or not np.fmod(theta, grid).any() else 1.0
