"""Cities merged into groups around which local cuts are looked for, compiled."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.tours.heuristics.xorshift import next_word
from diffcomb.problems.tours.subtour import find

#: values of x above this count
POSITIVE = 1e-7


@compiled
def merge(
    num_cities: int, tails: np.ndarray, heads: np.ndarray, x: np.ndarray, mode: int
) -> tuple[np.ndarray, int]:
    """Group of every city (N,) and the number of groups.

    Paths of edges at 1 become two groups (mode 0: one end, the rest of the path) or one (mode 1);
    mode 2 goes on merging groups joined by 1 in all.
    """
    n = num_cities
    label = np.arange(n)
    full = np.zeros(n, dtype=np.int64)
    for e in range(len(x)):
        if x[e] > 1.0 - 1e-6:
            full[tails[e]] += 1
            full[heads[e]] += 1
    end_taken = np.zeros(n, dtype=np.bool_)
    whole = np.arange(n)
    for e in range(len(x)):
        if x[e] > 1.0 - 1e-6:
            whole[find(whole, tails[e])] = find(whole, heads[e])
    for e in range(len(x)):
        if x[e] <= 1.0 - 1e-6:
            continue
        u, v = tails[e], heads[e]
        if mode == 0:
            end = u if full[u] == 1 else (v if full[v] == 1 else -1)
            path = find(whole, u)
            if end >= 0 and not end_taken[path]:
                end_taken[path] = True  # this end stays alone
                continue
        label[find(label, u)] = find(label, v)
    again = mode == 2
    while again:
        again = False
        between = np.zeros((n, n))
        for e in range(len(x)):
            u, v = find(label, tails[e]), find(label, heads[e])
            if u != v:
                between[min(u, v), max(u, v)] += x[e]
        for u in range(n):
            for v in range(u + 1, n):
                if between[u, v] > 1.0 - 1e-6 and label[u] == u and label[v] == v:
                    label[u] = v
                    again = True
                    break
    group = np.full(n, -1, dtype=np.int64)
    count = 0
    for v in range(n):
        if label[v] == v:
            group[v] = count
            count += 1
    result = np.empty(n, dtype=np.int64)
    for v in range(n):
        result[v] = group[find(label, v)]
    return result, count


@compiled
def grow(seed: int, between: np.ndarray, size: int, rule: int, state: np.uint64, number: np.ndarray) -> bool:
    """Number `size` - 1 connected groups from `seed` on, the rest `size` - 1, in place; False if too few."""
    count = len(between)
    number[:] = size - 1
    attached = np.zeros(count)
    current = seed
    for step in range(size - 1):
        number[current] = step
        following = -1
        for a in range(count):
            if number[a] < size - 1:
                continue
            if between[current, a] > 0.0:
                if rule == 0:
                    attached[a] += between[current, a]
                elif rule == 1:
                    attached[a] = max(attached[a], float(size - step))
                else:
                    state = next_word(state)
                    attached[a] += between[current, a] * float(state % np.uint64(1000)) / 1000.0
            if attached[a] > POSITIVE and (following < 0 or attached[a] > attached[following] + 1e-9):
                following = a
        current = following
        if current < 0:
            return step == size - 2
    return True
