"""Cuts that outlive a solve: subtours and combs are valid for every cost vector."""

from __future__ import annotations

import threading
from collections import OrderedDict

from diffcomb.problems.tours.cuts.cuts import Cut


class CutMemory:
    """The cuts that were tight last in the linear programs over a number of cities, for the next solve.

    Training solves one problem with costs that change little. Remembered rows save rounds of
    separation; no proof rests on them, so optimal values do not depend on the history (among tied tours the
    choice may). Threads may share it.

    Args:
        most: cuts kept per number of cities; the ones not tight for longest are forgotten first.
        sizes: numbers of cities kept; the one not solved for longest is forgotten first.
    """

    def __init__(self, most: int = 300, sizes: int = 16) -> None:
        self._most, self._sizes = most, sizes
        self._lock = threading.Lock()
        self._cuts: OrderedDict[int, dict[bytes, Cut]] = OrderedDict()

    def recall(self, num_cities: int) -> list[Cut]:
        """What is remembered, oldest first."""
        with self._lock:
            return list(self._cuts.get(num_cities, {}).values())

    def remember(self, num_cities: int, cuts: list[Cut]) -> None:
        """Make these the newest."""
        with self._lock:
            known = self._cuts.setdefault(num_cities, {})
            self._cuts.move_to_end(num_cities)
            for cut in cuts:
                known.pop(cut.key, None)
                known[cut.key] = cut
            for key in list(known)[: max(0, len(known) - self._most)]:
                del known[key]
            while len(self._cuts) > self._sizes:
                self._cuts.popitem(last=False)

    def __reduce__(self) -> tuple[type[CutMemory], tuple[int, int]]:
        """Copies start empty."""
        return CutMemory, (self._most, self._sizes)

    def __len__(self) -> int:
        """Cuts kept in all."""
        with self._lock:
            return sum(map(len, self._cuts.values()))
