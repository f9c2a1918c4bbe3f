"""What was made for problems seen before, for a bounded number of them."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from diffcomb.problems.problem import Problem

Made = TypeVar("Made")


class ProblemCache(Generic[Made]):
    """At most `capacity` problems' things; the one not asked for the longest makes place.

    A key holds no problem alive, so that what is kept goes with its problem unless it refers to it. A
    copy or a pickle starts empty: all that is kept can be made again. Threads may share one; two that
    ask for the same thing at once may both make it, and get the same one.

    Args:
        capacity: small: things are made again; large: memory.
        by_structure: one thing for all problems of one `structure_key`, instead of one a problem.
    """

    def __init__(self, capacity: int = 64, *, by_structure: bool = False) -> None:
        self.capacity, self.by_structure = capacity, by_structure
        self._kept: OrderedDict[Hashable, Made] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, problem: Problem, make: Callable[[], Made]) -> Made:
        """What is kept for `problem`, or else `make()`, kept from now on."""
        key: Hashable = problem.structure_key if self.by_structure else weakref.ref(problem)
        if key not in self._kept:
            self._kept.setdefault(key, make())
        try:
            self._kept.move_to_end(key)
            kept = self._kept[key]
        except KeyError:  # another thread filled the cache meanwhile
            return make()
        while len(self._kept) > self.capacity:
            self._kept.popitem(last=False)
        return kept

    def __reduce__(self) -> tuple[Any, ...]:
        return _empty, (self.capacity, self.by_structure)


def _empty(capacity: int, by_structure: bool) -> ProblemCache[Any]:
    return ProblemCache(capacity, by_structure=by_structure)
