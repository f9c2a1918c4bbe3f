"""Candidate handles of blossoms and combs, compiled.

Components of the graph of clearly fractional edges at several thresholds (Padberg & Hong 1980), and
what tight sets add to them or take away.
"""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.heuristics.xorshift import FIRST, next_word

_THRESHOLDS = (1e-6, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)


@compiled
def candidate_handles(
    n: int, tails: np.ndarray, heads: np.ndarray, x: np.ndarray, tight: np.ndarray, limit: int
) -> np.ndarray:
    """Distinct city sets (count, N) bool of 3 to N - 3 cities, at most `limit`.

    Args:
        tails, heads, x: the support edges. tight: (sets, N) bool, x(delta(S)) near 2.
    """
    keys = np.empty(n, dtype=np.uint64)
    state = np.uint64(FIRST)
    for v in range(n):  # a set is known by the exclusive or of its cities' words
        state = next_word(state)
        keys[v] = state
    handles = np.zeros((limit, n), dtype=np.bool_)
    found = np.zeros(limit, dtype=np.uint64)
    inside = np.zeros(n, dtype=np.bool_)
    label, size = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    count = 0
    for low in _THRESHOLDS:
        for high in (1.0 - low, 1.0 - 1e-6):
            for v in range(n):
                label[v] = v
                size[v] = 0
            for e in range(len(x)):
                if low < x[e] < high:
                    a, b = tails[e], heads[e]
                    while label[a] != a:
                        label[a] = label[label[a]]
                        a = label[a]
                    while label[b] != b:
                        label[b] = label[label[b]]
                        b = label[b]
                    label[a] = b
            for v in range(n):
                root = v
                while label[root] != root:
                    root = label[root]
                label[v] = root
                size[root] += 1
            for root in range(n):
                if 3 <= size[root] <= n - 3:
                    for v in range(n):
                        inside[v] = label[v] == root
                    count = _add(handles, found, count, inside, keys)
    for h in range(count):
        for t in range(len(tight)):
            both, own, other = 0, 0, 0
            for v in range(n):
                own += handles[h, v]
                other += tight[t, v]
                both += handles[h, v] and tight[t, v]
            if 0 < both < min(own, other):
                for v in range(n):
                    inside[v] = handles[h, v] or tight[t, v]
                count = _add(handles, found, count, inside, keys)
                for v in range(n):
                    inside[v] = handles[h, v] and not tight[t, v]
                count = _add(handles, found, count, inside, keys)
    return handles[:count]


@compiled
def _add(handles: np.ndarray, found: np.ndarray, count: int, inside: np.ndarray, keys: np.ndarray) -> int:
    """Append a set of fitting size that is not there yet while there is room; the new count."""
    n = len(inside)
    size, key = 0, np.uint64(0)
    for v in range(n):
        if inside[v]:
            size += 1
            key ^= keys[v]
    if size < 3 or size > n - 3 or count >= len(found):
        return count
    for k in range(count):
        if found[k] == key:
            return count
    handles[count] = inside
    found[count] = key
    return count + 1
