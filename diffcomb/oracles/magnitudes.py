"""Forbidden and forced choices: costs so large that beside them float64 loses the others.

Let theta' be theta with the costs above a price p lowered to p and those below -p raised to -p. A minimiser
z of theta'z that has none of the former (banned) and all of the latter (forced) minimises theta'z too: the
two objectives differ by a constant at z and by no less elsewhere. It is found on the scale of the
ordinary costs, whatever the others are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from diffcomb.compiled import compiled

#: binary orders of magnitude that no cost falls in part ordinary costs from extreme ones
_GAP = 7
#: binary exponents of float64 run from here on, so many
_LOWEST, _EXPONENTS = -1074, 2100


def summable(costs: np.ndarray) -> tuple[np.ndarray, int]:
    """costs * 2^-k and k, 0 unless a sum of them could overflow."""
    largest = max(float(costs.max(initial=0.0)), -float(costs.min(initial=0.0)))
    excess = math.frexp(largest)[1] + math.frexp(float(costs.size))[1] - 1020
    return (costs, 0) if excess <= 0 else (np.ldexp(costs, -excess), excess)


def ordinary_ceilings(costs: np.ndarray) -> list[float]:
    """Ascending T such that every |cost| is either below T or above 128 T, and both occur."""
    ceilings: list[float] = _ceilings(costs.ravel()).tolist()
    return ceilings


@compiled
def _ceilings(costs: np.ndarray) -> np.ndarray:
    present = np.zeros(_EXPONENTS, dtype=np.bool_)
    for k in range(len(costs)):
        if costs[k] != 0.0:
            present[math.frexp(costs[k])[1] - _LOWEST] = True
    found, count, before = np.empty(_EXPONENTS), 0, _EXPONENTS
    for k in range(_EXPONENTS):
        if present[k]:
            if k - before > _GAP:
                found[count] = math.ldexp(1.0, before + _LOWEST)
                count += 1
            before = k
    return found[:count]


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
        """Whether a minimiser z (n,) of theta', 0-1, minimises theta."""
        return not z[self.banned].any() and bool(z[self.forced].all())

    def counted(self, costs: np.ndarray, price: float, most_chosen: int) -> bool:
        """Whether minimisers of theta' minimise theta: all extremes have one magnitude, beyond any saving."""
        extreme = np.abs(costs[~self.ordinary])
        return bool((extreme == extreme[0]).all()) and price > 2.0 * most_chosen * self.ceiling
