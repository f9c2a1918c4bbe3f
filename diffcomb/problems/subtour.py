"""Exact separation of subtour rows x(delta(S)) >= 2 by minimum cuts, compiled.

Maximum-adjacency orderings with contraction (Nagamochi, Ono & Ibaraki 1994; Stoer & Wagner 1997):
two nodes that an ordering shows to be 2-connected in weight are merged, no violated cut parts them;
edges of weight 1 are merged first (Padberg & Rinaldi 1990). Every prefix of an ordering and every
merged node with a cut below 2 is a violated row, so one call returns many.
"""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled

#: sets returned by one call at most
_MAX_SETS = 400


@compiled
def _find(label: np.ndarray, v: int) -> int:
    while label[v] != v:
        label[v] = label[label[v]]
        v = label[v]
    return v


@compiled
def _record(sets: np.ndarray, sizes: np.ndarray, count: int, inside: np.ndarray) -> int:
    """Append the smaller side of the cut if it is new and has 2 cities at least; the new count."""
    n = len(inside)
    size = 0
    for v in range(n):
        size += inside[v]
    flip = 2 * size > n or (2 * size == n and not inside[0])
    size = n - size if flip else size
    if size < 2 or count >= len(sizes):
        return count
    for k in range(count):
        if sizes[k] != size:
            continue
        same = True
        for v in range(n):
            if sets[k, v] != (inside[v] != flip):
                same = False
                break
        if same:
            return count
    for v in range(n):
        sets[count, v] = inside[v] != flip
    sizes[count] = size
    return count + 1


@compiled
def violated_sets(
    num_cities: int, tails: np.ndarray, heads: np.ndarray, x: np.ndarray, eps: float
) -> np.ndarray:
    """City sets S (count, N) bool with x(delta(S)) < 2 - eps; none exists when count is 0.

    Args:
        tails, heads: ends of the support edges of x; x: their values, degrees 2.
    """
    n = num_cities
    sets = np.zeros((_MAX_SETS, n), dtype=np.bool_)
    sizes = np.zeros(_MAX_SETS, dtype=np.int64)
    inside = np.zeros(n, dtype=np.bool_)
    count = 0
    label = np.arange(n)
    # components of the support
    for e in range(len(x)):
        if x[e] > eps / n:
            label[_find(label, tails[e])] = _find(label, heads[e])
    components = 0
    for v in range(n):
        components += label[v] == v
    if components > 1:
        for root in range(n):
            if label[root] == root:
                for v in range(n):
                    inside[v] = _find(label, v) == root
                count = _record(sets, sizes, count, inside)
        if count > 0:
            return sets[:count]
    for v in range(n):
        label[v] = v
    for e in range(len(x)):
        if x[e] >= 1.0:
            label[_find(label, tails[e])] = _find(label, heads[e])
    weight = np.zeros((n, n))
    attached = np.zeros(n)
    degree = np.zeros(n)
    done = np.zeros(n, dtype=np.bool_)
    while True:
        nodes = np.empty(n, dtype=np.int64)
        active = 0
        for v in range(n):
            if _find(label, v) == v:
                nodes[active] = v
                active += 1
        for i in range(active):
            degree[nodes[i]] = 0.0
            attached[nodes[i]] = 0.0
            done[nodes[i]] = False
            for j in range(active):
                weight[nodes[i], nodes[j]] = 0.0
        for e in range(len(x)):
            u, v = _find(label, tails[e]), _find(label, heads[e])
            if u != v:
                weight[u, v] += x[e]
                weight[v, u] += x[e]
                degree[u] += x[e]
                degree[v] += x[e]
        for i in range(active):
            if degree[nodes[i]] < 2.0 - eps and active > 1:
                for v in range(n):
                    inside[v] = _find(label, v) == nodes[i]
                count = _record(sets, sizes, count, inside)
        if active <= 2 or count >= _MAX_SETS:
            return sets[:count]
        original = label.copy()
        inside[:] = False
        cut = 0.0
        previous, last = -1, -1
        for step in range(active):
            best = -1
            for i in range(active):
                v = nodes[i]
                if not done[v] and (best < 0 or attached[v] > attached[best]):
                    best = v
            done[best] = True
            previous, last = last, best
            cut += degree[best] - 2.0 * attached[best]
            for v in range(n):
                if _find(original, v) == best:
                    inside[v] = True
            if step < active - 1 and cut < 2.0 - eps:
                count = _record(sets, sizes, count, inside)
            for i in range(active):
                v = nodes[i]
                if not done[v] and weight[best, v] > 0.0:
                    attached[v] += weight[best, v]
                    # local connectivity of best and v is at least attached[v]
                    if attached[v] >= 2.0 - eps:
                        label[_find(label, v)] = _find(label, best)
        label[_find(label, last)] = _find(label, previous)
