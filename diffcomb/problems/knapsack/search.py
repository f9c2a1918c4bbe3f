"""Depth-first branch and bound for multi-row knapsacks, compiled."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled


@compiled
def surrogate_multipliers(
    values: np.ndarray, weights: np.ndarray, capacity: np.ndarray, rounds: int
) -> np.ndarray:
    """u >= 0 (rows,) that nearly minimises the Lagrangian bound u'b + sum_j max(0, v_j - u'w_j).

    Subgradient steps of decreasing length; any u >= 0 gives a valid bound, a good one prunes more.
    """
    rows, n = weights.shape
    u = np.zeros(rows)
    for r in range(rows):
        if capacity[r] > 0 and weights[r].sum() > capacity[r]:
            u[r] = values.sum() / max(weights[r].sum(), 1e-12) / rows
    best, best_u = np.inf, u.copy()
    step = 1.0
    for _ in range(rounds):
        bound = 0.0
        gradient = capacity.copy()
        for r in range(rows):
            bound += u[r] * capacity[r]
        for j in range(n):
            reduced = values[j]
            for r in range(rows):
                reduced -= u[r] * weights[r, j]
            if reduced > 0:
                bound += reduced
                for r in range(rows):
                    gradient[r] -= weights[r, j]
        if bound < best:
            best = bound
            best_u[:] = u
        else:
            step *= 0.8
        norm = (gradient * gradient).sum()
        if norm < 1e-18:
            break
        for r in range(rows):
            u[r] = max(0.0, u[r] - step * 0.2 * bound / norm * gradient[r])
    return best_u


@compiled
def search_knapsack(
    values: np.ndarray, weights: np.ndarray, capacity: np.ndarray, node_limit: int
) -> tuple[np.ndarray, float, bool]:
    """max values'z subject to weights z <= capacity, z binary.

    Items of positive value in decreasing order of value per surrogate weight u'w; at each node the
    bound is the smaller of the fractional optimum of the surrogate row and of every single row's
    remaining value. Takes an item before leaving it, so the first leaf is the greedy solution.

    Returns:
        z (n,), its value, and whether the search finished (it is then optimal).
    """
    rows, n = weights.shape
    tolerance = 1e-9 * (1.0 + np.abs(capacity))
    u = surrogate_multipliers(np.maximum(values, 0.0), weights, capacity, 60)
    surrogate = np.zeros(n)
    for j in range(n):
        for r in range(rows):
            surrogate[j] += u[r] * weights[r, j]
    ratio = values / (surrogate + 1e-12)
    order = np.argsort(-ratio, kind="mergesort")
    keep = 0
    items = np.empty(n, dtype=np.int64)
    for j in order:
        fits = values[j] > 0
        for r in range(rows):
            fits = fits and weights[r, j] <= capacity[r] + tolerance[r]
        if fits:
            items[keep] = j
            keep += 1

    taken = np.zeros(keep, dtype=np.bool_)
    room = capacity + tolerance
    surrogate_room = 0.0
    for r in range(rows):
        surrogate_room += u[r] * room[r]
    value, best = 0.0, 0.0
    best_taken = np.zeros(keep, dtype=np.bool_)
    nodes, depth = 0, 0
    descending = True
    while True:
        if descending:
            nodes += 1
            if nodes > node_limit:
                break
            # fractional optimum of the surrogate row over the items left
            bound, left = value, surrogate_room
            for k in range(depth, keep):
                j = items[k]
                if surrogate[j] <= left:
                    bound += values[j]
                    left -= surrogate[j]
                else:
                    bound += values[j] * left / surrogate[j]
                    break
            if depth == keep or bound <= best * (1.0 + 1e-13):
                if value > best:
                    best = value
                    best_taken[:] = taken
                descending = False
                continue
            j = items[depth]
            fits = True
            for r in range(rows):
                fits = fits and weights[r, j] <= room[r]
            if fits:
                taken[depth] = True
                value += values[j]
                surrogate_room -= surrogate[j]
                for r in range(rows):
                    room[r] -= weights[r, j]
                if value > best:
                    best = value
                    best_taken[:] = taken
            depth += 1
        else:
            # back to the last item taken, and leave it
            depth -= 1
            while depth >= 0 and not taken[depth]:
                depth -= 1
            if depth < 0:
                break
            j = items[depth]
            taken[depth] = False
            value -= values[j]
            surrogate_room += surrogate[j]
            for r in range(rows):
                room[r] += weights[r, j]
            depth += 1
            descending = True
    z = np.zeros(n)
    total = 0.0
    for k in range(keep):
        if best_taken[k]:
            z[items[k]] = 1.0
            total += values[items[k]]
    return z, total, nodes <= node_limit


@compiled
def search_knapsacks(
    costs: np.ndarray, weights: np.ndarray, capacity: np.ndarray, node_limit: int
) -> tuple[np.ndarray, np.ndarray]:
    """`search_knapsack` for values -costs (batch, n), row by row.

    Returns:
        z (batch, n), and (batch,) whether the search finished.
    """
    z = np.empty(costs.shape)
    finished = np.empty(len(costs), dtype=np.bool_)
    for b in range(len(costs)):
        z[b], _, finished[b] = search_knapsack(-costs[b], weights, capacity, node_limit)
    return z, finished
