"""Heuristic separation of blossoms and combs.

Teeth are edges near 1 and tight subtour sets that cross the handle, chosen greedily by
3 - x(delta(T)) (Grötschel & Holland 1991).
"""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.cuts.cuts import Cut, comb, cut_values
from diffcomb.problems.tours.cuts.handles import candidate_handles

#: candidates looked at by one call
_MAX_HANDLES = 800


def violated_combs(
    num_cities: int,
    tails: np.ndarray,
    heads: np.ndarray,
    x: np.ndarray,
    tight: np.ndarray,
    *,
    min_violation: float = 0.02,
    limit: int = 60,
) -> list[Cut]:
    """Combs cut off x, the most violated ones first.

    Args:
        tails, heads, x: the support edges, degrees 2 and no violated subtours.
        tight: (count, N) bool, sets with x(delta(S)) near 2, as teeth.
    """
    handles = candidate_handles(num_cities, tails, heads, x, tight, _MAX_HANDLES)
    if not len(handles):
        return []
    edges = x > 0.3
    pairs = np.zeros((int(edges.sum()), num_cities), dtype=bool)
    rows = np.arange(len(pairs))
    pairs[rows, tails[edges]] = pairs[rows, heads[edges]] = True
    teeth = np.concatenate([pairs, tight]) if len(tight) else pairs
    gain = 3.0 - cut_values(teeth, tails, heads, x)
    order = np.argsort(-gain, kind="stable")
    teeth, gain = teeth[order], gain[order]
    rows, members = np.nonzero(teeth)
    start = np.searchsorted(rows, np.arange(len(teeth) + 1))
    boundary = cut_values(handles, tails, heads, x)
    chosen, counts, violations = _choose_teeth(handles, boundary, start, members, gain)
    order = np.argsort(-violations, kind="stable")[:limit]
    return [comb(handles[k], teeth[chosen[k, : counts[k]]]) for k in order if violations[k] > min_violation]


@compiled
def _choose_teeth(
    handles: np.ndarray, boundary: np.ndarray, start: np.ndarray, members: np.ndarray, gain: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per handle an odd number of disjoint crossing teeth, greedily by gain; their violation.

    The comb is violated by  sum of gains - (x(delta(H)) - 1). An even choice drops its weakest
    tooth or takes the best one left, whichever costs less.
    """
    count, n = handles.shape
    most = n // 2 + 1
    chosen = np.zeros((count, most), dtype=np.int64)
    counts = np.zeros(count, dtype=np.int64)
    violations = np.full(count, -np.inf)
    covered = np.zeros(n, dtype=np.bool_)
    for h in range(count):
        covered[:] = False
        total, picked, extra = 0.0, 0, -1
        for t in range(len(gain)):
            if gain[t] <= 0.0 and (picked % 2 == 1 or extra >= 0):
                break
            inside, free = 0, True
            for k in range(start[t], start[t + 1]):
                inside += handles[h, members[k]]
                free = free and not covered[members[k]]
            if not free or inside == 0 or inside == start[t + 1] - start[t]:
                continue
            if gain[t] <= 0.0:
                extra = t
                break
            chosen[h, picked] = t
            picked += 1
            total += gain[t]
            for k in range(start[t], start[t + 1]):
                covered[members[k]] = True
        if picked % 2 == 0 and picked > 0:
            weakest = gain[chosen[h, picked - 1]]
            if extra >= 0 and -gain[extra] < weakest:
                chosen[h, picked] = extra
                picked += 1
                total += gain[extra]
            else:
                picked -= 1
                total -= weakest
        if picked >= 3:
            counts[h] = picked
            violations[h] = total - (boundary[h] - 1.0)
    return chosen, counts, violations
