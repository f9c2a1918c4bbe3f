"""Cuts in one form for subtours, blossoms and combs: sum over sets of x(delta(S)) >= rhs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diffcomb.compiled import compiled


@dataclass(frozen=True)
class Cut:
    """sum_j x(delta(S_j)) >= rhs, valid for every tour.

    A subtour row has one set and rhs 2; a comb has a handle, t teeth (t odd) and rhs 3 t + 1.

    Attributes:
        sets: (count, N) bool.
    """

    sets: np.ndarray
    rhs: float

    def coefficients(self, tails: np.ndarray, heads: np.ndarray) -> np.ndarray:
        """Per edge, the number of sets that part its ends."""
        return (self.sets[:, tails] != self.sets[:, heads]).sum(0, dtype=np.float64)

    @cached_property
    def key(self) -> bytes:
        """Equal for equal cuts."""
        return np.packbits(self.sets, axis=1).tobytes()


def subtour(inside: np.ndarray) -> Cut:
    """x(delta(S)) >= 2."""
    return Cut(inside[None].copy(), 2.0)


def comb(handle: np.ndarray, teeth: np.ndarray) -> Cut:
    """x(delta(H)) + sum x(delta(T_i)) >= 3 t + 1 for an odd number t of disjoint teeth."""
    return Cut(np.concatenate([handle[None], teeth]), 3.0 * len(teeth) + 1.0)


@compiled
def cut_values(sets: np.ndarray, tails: np.ndarray, heads: np.ndarray, x: np.ndarray) -> np.ndarray:
    """x(delta(S)) of each set (count, N)."""
    values = np.zeros(len(sets))
    for k in range(len(sets)):
        for e in range(len(x)):
            if sets[k, tails[e]] != sets[k, heads[e]]:
                values[k] += x[e]
    return values
