"""Cuts that left a linear program and may come back."""

from __future__ import annotations

from collections.abc import Container, Iterable

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.cuts.closed_walks import MOST_NODES
from diffcomb.problems.tours.cuts.cuts import Cut, SetCut, ShrunkCut, cut_values


class CutPool:
    """Remembers cuts and finds those that a point violates.

    Args:
        most: cuts kept; the ones not added for longest are forgotten first.
    """

    def __init__(self, num_cities: int, most: int = 1500) -> None:
        self._most = most
        self._num_cities = num_cities
        self._cuts: dict[bytes, Cut] = {}
        self._stacked: _Stacked | None = None

    def add(self, cuts: Iterable[Cut]) -> None:
        """Make these the newest."""
        for cut in cuts:
            self._cuts.pop(cut.key, None)
            self._cuts[cut.key] = cut
        for key in list(self._cuts)[: max(0, len(self._cuts) - self._most)]:
            del self._cuts[key]
        self._stacked = None

    def violated(
        self, tails: np.ndarray, heads: np.ndarray, x: np.ndarray, present: Container[bytes], by: float
    ) -> list[Cut]:
        """Cuts with c'x < rhs - by whose keys are not `present`.

        Args:
            tails, heads, x: the support edges and their values.
        """
        if not self._cuts:
            return []
        if self._stacked is None:
            self._stacked = _Stacked(self._cuts.values(), self._num_cities)
        return [cut for cut in self._stacked.violated(tails, heads, x, by) if cut.key not in present]


class _Stacked:
    """Cuts in arrays, by form."""

    def __init__(self, cuts: Iterable[Cut], num_cities: int) -> None:
        self.sums = [cut for cut in cuts if type(cut) is SetCut]
        self.shrunk = [cut for cut in cuts if type(cut) is ShrunkCut]
        self._sets = np.concatenate([np.zeros((0, num_cities), dtype=bool), *(cut.sets for cut in self.sums)])
        self._first = np.cumsum([0, *(len(cut.sets) for cut in self.sums)])[:-1]
        self._groups = np.zeros((len(self.shrunk), num_cities), dtype=np.uint8)
        self._weights = np.zeros((len(self.shrunk), MOST_NODES, MOST_NODES))
        for k, cut in enumerate(self.shrunk):
            self._groups[k] = cut.group
            self._weights[k, : len(cut.weight), : len(cut.weight)] = cut.weight
        self._rhs = np.array([cut.rhs for cut in (*self.sums, *self.shrunk)])

    def violated(self, tails: np.ndarray, heads: np.ndarray, x: np.ndarray, by: float) -> list[Cut]:
        parts = cut_values(self._sets, tails, heads, x)
        sums = np.add.reduceat(parts, self._first) if self.sums else parts
        values = np.concatenate([sums, _weigh(self._groups, self._weights, tails, heads, x)])
        return [(*self.sums, *self.shrunk)[k] for k in np.flatnonzero(values < self._rhs - by)]


@compiled
def _weigh(
    groups: np.ndarray, weights: np.ndarray, tails: np.ndarray, heads: np.ndarray, x: np.ndarray
) -> np.ndarray:
    """sum_e weight[group_u, group_v] x_e of each cut."""
    values = np.zeros(len(groups))
    for k in range(len(groups)):
        for e in range(len(x)):
            values[k] += weights[k, groups[k, tails[e]], groups[k, heads[e]]] * x[e]
    return values
