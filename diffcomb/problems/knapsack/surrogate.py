"""One row in place of many: the surrogate whose fractional optimum bounds a knapsack, compiled."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled

_ROUNDS = 60


@compiled
def surrogate_multipliers(values: np.ndarray, relative: np.ndarray) -> np.ndarray:
    """u >= 0 (rows,) that nearly minimises the Lagrangian bound sum u + sum_j max(0, v_j - u'w_j).

    Subgradient steps of decreasing length; any u >= 0 gives a valid bound, a good one prunes more.

    Args:
        values: (n,) >= 0, at most about 1. relative: (rows, n) weights over room.
    """
    rows, n = relative.shape
    u = np.zeros(rows)
    for r in range(rows):
        if relative[r].sum() > 1.0:
            u[r] = values.sum() / relative[r].sum() / rows
    best, best_u = np.inf, u.copy()
    step = 1.0
    gradient, reduced = np.empty(rows), np.empty(n)
    for _ in range(_ROUNDS):
        bound = u.sum()
        reduced[:] = values
        for r in range(rows):
            for j in range(n):
                reduced[j] -= u[r] * relative[r, j]
        for j in range(n):
            bound += max(reduced[j], 0.0)
        for r in range(rows):
            used = 0.0
            for j in range(n):
                used += relative[r, j] if reduced[j] > 0.0 else 0.0
            gradient[r] = 1.0 - used
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


def lagrangian_bound(values: np.ndarray, relative: np.ndarray) -> float:
    """At least max values'z over sacks, values (n,) of any sign and size."""
    largest = float(values.max(initial=0.0))
    if largest == 0.0:
        return 0.0
    gains = np.maximum(values, 0.0) / largest
    u = surrogate_multipliers(gains, relative)
    return largest * float(u.sum() + np.maximum(gains - u @ relative, 0.0).sum())


@compiled
def surrogate_row(u: np.ndarray, relative: np.ndarray, room: float, out: np.ndarray) -> None:
    """u'w in whole units of u'1 / room, rounded down: what fits all rows fits this one.

    Args:
        room: a whole number. out: (n,).
    """
    rows, n = relative.shape
    total = u.sum()
    # all roundings of a sum of `rows` products stay below this
    shrink = 1.0 - (rows + 8) * 2.0**-52
    for j in range(n):
        weight = 0.0
        for r in range(rows):
            weight += u[r] * relative[r, j]
        out[j] = np.floor(weight / total * room * shrink) if total > 0.0 else 0.0
