"""Valid inequalities of tours in two forms: sums of cuts, and weights between groups of cities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diffcomb.compiled import compiled


class Cut(ABC):
    """sum_e c_e x_e >= rhs, valid for every tour."""

    rhs: float

    @property
    @abstractmethod
    def key(self) -> bytes:
        """Equal for equal cuts."""

    @abstractmethod
    def coefficients(self, tails: np.ndarray, heads: np.ndarray) -> np.ndarray:
        """c_e of the edges with these ends, float64."""


@dataclass(frozen=True)
class SetCut(Cut):
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
        return np.packbits(self.sets, axis=1).tobytes()


@dataclass(frozen=True)
class ShrunkCut(Cut):
    """sum_{u < v} weight[group_u, group_v] x_uv >= rhs.

    Attributes:
        group: (N,) uint8, the group of each city. weight: (K, K) symmetric, integer, zero diagonal.
    """

    group: np.ndarray
    weight: np.ndarray
    rhs: float

    def coefficients(self, tails: np.ndarray, heads: np.ndarray) -> np.ndarray:
        """weight between the groups of the ends."""
        return self.weight[self.group[tails], self.group[heads]]

    @cached_property
    def key(self) -> bytes:
        return self.group.tobytes() + self.weight.astype(np.int16).tobytes()


def subtour(inside: np.ndarray) -> SetCut:
    """x(delta(S)) >= 2."""
    return SetCut(inside[None].copy(), 2.0)


def comb(handle: np.ndarray, teeth: np.ndarray) -> SetCut:
    """x(delta(H)) + sum x(delta(T_i)) >= 3 t + 1 for an odd number t of disjoint teeth."""
    return SetCut(np.concatenate([handle[None], teeth]), 3.0 * len(teeth) + 1.0)


@compiled
def cut_values(sets: np.ndarray, tails: np.ndarray, heads: np.ndarray, x: np.ndarray) -> np.ndarray:
    """x(delta(S)) of each set (count, N)."""
    values = np.zeros(len(sets))
    for k in range(len(sets)):
        for e in range(len(x)):
            if sets[k, tails[e]] != sets[k, heads[e]]:
                values[k] += x[e]
    return values
