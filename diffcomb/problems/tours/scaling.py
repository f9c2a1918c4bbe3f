"""Costs on a common scale, and how small an improvement still counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: real costs: tours this much better, relative to the largest centred cost, are not looked for
RELATIVE_TOLERANCE = 1e-10

#: integers beyond this are treated as real: one unit would drown in the simplex's tolerances
_LARGEST_INTEGER = 1e6


@dataclass(frozen=True)
class ScaledCosts:
    """cost = (theta - mean) / scale, at most 1 in magnitude: no constant or unit changes a tour.

    Attributes:
        cost: (n,) float64.
        shift, scale: tour values are theta'z = scale * cost'z + N * shift.
        tolerance: nodes are pruned at `best tour - tolerance`. Just under one unit of the grid when
            all costs are multiples of one integer, else `RELATIVE_TOLERANCE`.
    """

    cost: np.ndarray
    shift: float
    scale: float
    tolerance: float

    @staticmethod
    def of(theta: np.ndarray) -> ScaledCosts:
        shift = float(theta.mean())
        centred = theta - shift
        scale = float(np.abs(centred).max(initial=0.0)) or 1.0
        grid = _integer_grid(theta)
        tolerance = max(grid * (1 - 1e-3) / scale, RELATIVE_TOLERANCE)
        return ScaledCosts(centred / scale, shift, scale, tolerance)

    def value(self, scaled: float, num_cities: int) -> float:
        """A scaled tour length or bound in the units of theta."""
        return self.scale * scaled + num_cities * self.shift


def _integer_grid(theta: np.ndarray) -> float:
    """The largest g such that all costs are integer multiples of g >= 1, 0 if they are not integers."""
    magnitude = float(np.abs(theta).max(initial=0.0))
    if (
        magnitude > _LARGEST_INTEGER
        or theta[0] != np.rint(theta[0])
        or not np.array_equal(theta, np.rint(theta))
    ):
        return 0.0
    return float(np.gcd.reduce(np.abs(theta).astype(np.int64)))
