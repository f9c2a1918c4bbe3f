"""City sets to branch on: no tour crosses their border three times, the fractional point nearly does."""

from __future__ import annotations

import numpy as np

from diffcomb.problems.tours.cuts.cuts import SetCut, cut_values, subtour
from diffcomb.problems.tours.cuts.handles import candidate_handles
from diffcomb.problems.tours.lp_search.linear_program import TourProgram

#: x(delta(S)) is at most this far from 3
_FROM_THREE = 0.6
#: handles looked at
_MOST = 400


def candidate_sets(program: TourProgram, count: int) -> list[SetCut]:
    """Up to `count` sets with x(delta(S)) near 3, nearest first: subtour rows, handles and teeth of the
    program, and components of its fractional edges."""
    n = program.num_cities
    if count == 0:
        return []
    support = program.support
    own = [cut.sets for cut in program.cuts if isinstance(cut, SetCut)]
    none = np.zeros((0, n), dtype=bool)
    sets = np.concatenate([none, *own, candidate_handles(n, *support, none, _MOST)])
    away = np.abs(cut_values(sets, *support) - 3.0)
    size = sets.sum(1)
    away[(size < 2) | (size > n - 2)] = np.inf
    found: dict[bytes, SetCut] = {}
    for k in np.argsort(away, kind="stable"):
        if away[k] > _FROM_THREE or len(found) == count:
            break
        inside = sets[k] if sets[k, 0] else ~sets[k]
        cut = subtour(inside)
        found.setdefault(cut.key, cut)
    return list(found.values())
