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
def find(label: np.ndarray, v: int) -> int:
    """The representative of v's set, where label leads towards it; paths are halved on the way."""
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
            label[find(label, tails[e])] = find(label, heads[e])
    components = 0
    for v in range(n):
        components += label[v] == v
    if components > 1:
        for root in range(n):
            if label[root] == root:
                for v in range(n):
                    inside[v] = find(label, v) == root
                count = _record(sets, sizes, count, inside)
        if count > 0:
            return sets[:count]
    for v in range(n):
        label[v] = v
    for e in range(len(x)):
        if x[e] >= 1.0:
            label[find(label, tails[e])] = find(label, heads[e])
    attached = np.zeros(n)
    degree = np.zeros(n)
    position = np.empty(n, dtype=np.int64)
    parent = np.empty(n, dtype=np.int64)
    nodes = np.empty(n, dtype=np.int64)
    start = np.empty(n + 1, dtype=np.int64)
    near, weight = np.empty(2 * len(x), dtype=np.int64), np.empty(2 * len(x))
    while True:
        active = 0
        for v in range(n):
            parent[v] = find(label, v)
            if parent[v] == v:
                nodes[active] = v
                active += 1
            degree[v] = attached[v] = 0.0
            position[v] = n
        _adjacency(tails, heads, x, parent, start, near, weight)
        for v in range(n):
            for k in range(start[v], start[v + 1]):
                degree[v] += weight[k]
        for i in range(active):
            if degree[nodes[i]] < 2.0 - eps and active > 1:
                for v in range(n):
                    inside[v] = parent[v] == nodes[i]
                count = _record(sets, sizes, count, inside)
        if active <= 2 or count >= _MAX_SETS:
            return sets[:count]
        cut = 0.0
        previous, last = -1, -1
        for step in range(active):
            best = -1
            for i in range(active):
                v = nodes[i]
                if position[v] == n and (best < 0 or attached[v] > attached[best]):
                    best = v
            position[best] = step
            previous, last = last, best
            cut += degree[best] - 2.0 * attached[best]
            if step < active - 1 and cut < 2.0 - eps:
                for v in range(n):
                    inside[v] = position[parent[v]] <= step
                count = _record(sets, sizes, count, inside)
            for k in range(start[best], start[best + 1]):
                v = near[k]
                if position[v] == n:
                    attached[v] += weight[k]
                    # local connectivity of best and v is at least attached[v]
                    if attached[v] >= 2.0 - eps:
                        label[find(label, v)] = find(label, best)
        label[find(label, last)] = find(label, previous)


@compiled
def _adjacency(
    tails: np.ndarray,
    heads: np.ndarray,
    x: np.ndarray,
    root: np.ndarray,
    start: np.ndarray,
    near: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Edges between merged nodes as lists start (N + 1,), near and weight (2 m,), in place."""
    n = len(root)
    start[:] = 0
    for e in range(len(x)):
        u, v = root[tails[e]], root[heads[e]]
        if u != v:
            start[u + 1] += 1
            start[v + 1] += 1
    for v in range(n):
        start[v + 1] += start[v]
    for e in range(len(x)):
        u, v = root[tails[e]], root[heads[e]]
        if u != v:
            for a, b in ((u, v), (v, u)):
                near[start[a]], weight[start[a]] = b, x[e]
                start[a] += 1
    for v in range(n, 0, -1):
        start[v] = start[v - 1]
    start[0] = 0
