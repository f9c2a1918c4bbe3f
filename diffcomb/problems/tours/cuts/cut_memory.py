"""Cuts that outlive a solve: subtours and combs are valid for every cost vector."""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

from diffcomb.problems.tours.cuts.cuts import Cut
from diffcomb.problems.tours.traveling_salesman import TravelingSalesman


class CutMemory:
    """The cuts that were tight last in the linear programs of each problem, for its next solve.

    Training solves one problem with costs that change little. Remembered rows save rounds of
    separation; no proof rests on them, so optimal values do not depend on the history (among tied tours the
    choice may). Threads may share it; a problem that is no longer used takes its cuts along.

    Args:
        most: cuts kept per problem; the ones not tight for longest are forgotten first.
    """

    def __init__(self, most: int = 300) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._cuts: WeakKeyDictionary[TravelingSalesman, dict[bytes, Cut]] = WeakKeyDictionary()

    def recall(self, problem: TravelingSalesman) -> list[Cut]:
        """What is remembered, oldest first."""
        with self._lock:
            return list(self._cuts.get(problem, {}).values())

    def remember(self, problem: TravelingSalesman, cuts: list[Cut]) -> None:
        """Make these the newest."""
        with self._lock:
            known = self._cuts.setdefault(problem, {})
            for cut in cuts:
                known.pop(cut.key, None)
                known[cut.key] = cut
            for key in list(known)[: max(0, len(known) - self._most)]:
                del known[key]
