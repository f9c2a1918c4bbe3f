"""Forbidden and forced choices: costs so large that beside them float64 loses the others.

Let theta' be theta with the costs above a price p lowered to p and those below -p raised to -p. A minimiser
z of theta'z that has none of the former (banned) and all of the latter (forced) minimises theta'z too: the
two objectives differ by a constant at z and by no less elsewhere. It is found on the scale of the
ordinary costs, whatever the others are.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp

import numpy as np

#: binary orders of magnitude that no cost falls in part ordinary costs from extreme ones
_GAP = 7


def summable(costs: np.ndarray) -> np.ndarray:
    """costs times a power of two, 1 unless a sum of them could overflow."""
    largest = float(np.abs(costs).max(initial=0.0))
    spare = 1020 - frexp(largest)[1] - frexp(float(costs.size))[1]
    return costs if spare >= 0 else np.ldexp(costs, spare)


def ordinary_ceilings(costs: np.ndarray) -> list[float]:
    """Ascending T such that every |cost| is either below T or above 128 T, and both occur."""
    exponents = np.frexp(costs)[1][costs != 0.0]
    if not len(exponents):
        return []
    lowest = int(exponents.min())
    present = np.flatnonzero(np.bincount(exponents - lowest))
    return [2.0 ** int(lowest + low) for low in present[:-1][np.diff(present) > _GAP]]


@dataclass(frozen=True)
class Extremes:
    """banned, forced: (n,) bool, the costs from T on and down from -T. ceiling: T."""

    banned: np.ndarray
    forced: np.ndarray
    ceiling: float

    @staticmethod
    def of(costs: np.ndarray, ceiling: float) -> Extremes:
        return Extremes(costs >= ceiling, costs <= -ceiling, ceiling)

    @property
    def ordinary(self) -> np.ndarray:
        """(n,) bool, the others."""
        return ~(self.banned | self.forced)

    def price(self, costs: np.ndarray, most_chosen: int) -> float:
        """p so high that no saving elsewhere pays for it, if all extremes are; at most `most_chosen` are
        chosen at once."""
        return min(4.0 * most_chosen * self.ceiling, float(np.abs(costs[~self.ordinary]).min()))

    def clipped(self, costs: np.ndarray, price: float) -> np.ndarray:
        """theta' for a price between T and the least extreme."""
        return np.clip(costs, -price, price)

    def settled(self, z: np.ndarray) -> bool:
        """Whether a minimiser z of theta' minimises theta."""
        return not (z[self.banned] > 0.5).any() and bool((z[self.forced] > 0.5).all())

    def counted(self, costs: np.ndarray, price: float, most_chosen: int) -> bool:
        """Whether minimisers of theta' minimise theta: all extremes have one magnitude, beyond any saving."""
        extreme = np.abs(costs[~self.ordinary])
        return bool((extreme == extreme[0]).all()) and price > 2.0 * most_chosen * self.ceiling
