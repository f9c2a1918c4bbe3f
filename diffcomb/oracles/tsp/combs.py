"""Heuristic separation of blossoms and combs.

Handles are components of the graph of clearly fractional edges at several thresholds (Padberg &
Hong 1980) and what tight sets leave of them; teeth are edges near 1 and tight subtour sets that
cross the handle, chosen greedily by 3 - x(delta(T)) (Grötschel & Holland 1991).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from diffcomb.oracles.tsp.cuts import Cut, comb

_THRESHOLDS = (1e-6, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)


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
    handles = _handles(num_cities, tails, heads, x, tight)
    if not len(handles):
        return []
    edges = x > 0.5
    pairs = np.zeros((int(edges.sum()), num_cities), dtype=bool)
    rows = np.arange(len(pairs))
    pairs[rows, tails[edges]] = pairs[rows, heads[edges]] = True
    teeth = np.concatenate([pairs, tight, ~tight]) if len(tight) else pairs
    crossing = (teeth[:, tails] != teeth[:, heads]) @ x
    gain = 3.0 - crossing
    useful = gain > 0.05
    teeth, gain = teeth[useful], gain[useful]
    order = np.argsort(-gain, kind="stable")
    teeth, gain = teeth[order], gain[order]
    boundary = (handles[:, tails] != handles[:, heads]) @ x
    inside = handles.astype(np.float32) @ teeth.T.astype(np.float32)
    sizes = teeth.sum(1)
    found: list[tuple[float, Cut]] = []
    for k in range(len(handles)):
        candidates = np.flatnonzero((inside[k] > 0.5) & (inside[k] < sizes - 0.5))
        # no tooth gains more than 1: t of them must beat x(delta(H)) - 1
        if gain[candidates].sum() <= boundary[k] - 1:
            continue
        covered = np.zeros(num_cities, dtype=bool)
        chosen: list[int] = []
        for t in candidates:
            if not (covered & teeth[t]).any():
                chosen.append(int(t))
                covered |= teeth[t]
        if len(chosen) % 2 == 0:
            chosen = chosen[:-1]
        # drop pairs that cost more than they bring
        while len(chosen) > 3 and gain[chosen[-1]] + gain[chosen[-2]] < 0:
            chosen = chosen[:-2]
        if len(chosen) < 3:
            continue
        violation = float(gain[chosen].sum()) - (boundary[k] - 1)
        if violation > min_violation:
            found.append((violation, comb(handles[k], teeth[chosen])))
    found.sort(key=lambda pair: -pair[0])
    return [cut for _, cut in found[:limit]]


def _handles(n: int, tails: np.ndarray, heads: np.ndarray, x: np.ndarray, tight: np.ndarray) -> np.ndarray:
    """Distinct candidate handles (count, N) bool."""
    pool: dict[bytes, np.ndarray] = {}

    def add(inside: np.ndarray) -> None:
        size = int(inside.sum())
        if 3 <= size <= n - 3:
            pool.setdefault(np.packbits(inside).tobytes(), inside)

    for low in _THRESHOLDS:
        for high in (1 - low, 1 - 1e-6):
            fractional = (x > low) & (x < high)
            graph = sparse.csr_array(
                (np.ones(int(fractional.sum())), (tails[fractional], heads[fractional])), shape=(n, n)
            )
            count, labels = connected_components(graph, directed=False)
            sizes = np.bincount(labels, minlength=count)
            for label in np.flatnonzero((sizes >= 3) & (sizes <= n - 3)):
                add(labels == label)
    for handle in list(pool.values()):
        for inside in tight:
            both = handle & inside
            if both.any() and both.sum() < inside.sum() and both.sum() < handle.sum():
                add(handle | inside)
                add(handle & ~inside)
        if len(pool) > 600:
            break
    return np.array(list(pool.values()), dtype=bool).reshape(-1, n)
