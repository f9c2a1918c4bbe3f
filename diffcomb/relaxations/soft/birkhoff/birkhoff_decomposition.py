"""Doubly stochastic matrices as convex combinations of permutations, in the order of a score; compiled."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled

#: entries below this are zero: what rounding leaves of an entry that was subtracted away
_ZERO = 1e-13


@compiled
def _assign_row(
    cost: np.ndarray,
    open_: np.ndarray,
    row: int,
    u: np.ndarray,
    v: np.ndarray,
    row_of: np.ndarray,
    column_of: np.ndarray,
) -> bool:
    """One augmenting path (Jonker & Volgenant 1987) that assigns `row`; False if there is none.

    u, v stay feasible potentials of the entries in `open_`, tight on assigned ones.
    """
    n = len(row_of)
    shortest = np.full(n, np.inf)
    before = np.full(n, -1)
    done = np.zeros(n, np.bool_)
    current, length, end = row, 0.0, -1
    while end < 0:
        nearest, least = -1, np.inf
        for j in range(n):
            if done[j]:
                continue
            if open_[current, j]:
                d = length + cost[current, j] - u[current] - v[j]
                if d < shortest[j]:
                    shortest[j], before[j] = d, current
            if shortest[j] < least:
                nearest, least = j, shortest[j]
        if nearest < 0:
            return False
        done[nearest] = True
        length = least
        if row_of[nearest] < 0:
            end = nearest
        else:
            current = row_of[nearest]
    u[row] += length
    for j in range(n):
        if done[j] and j != end:
            u[row_of[j]] += length - shortest[j]
            v[j] -= length - shortest[j]
    while end >= 0:
        i = before[end]
        row_of[end] = i
        column_of[i], end = end, column_of[i]
        if i == row:
            break
    return True


@compiled
def decompose(
    matrix: np.ndarray, score: np.ndarray, max_terms: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """matrix = sum_l alpha_l P_l, P_l the permutation of largest <score, P> inside what is left.

    alpha_l is the smallest entry left under P_l; its place is the pivot of step l. Each step closes
    its pivot, so the next permutation is one augmenting path away: O(n^2) a term, O(n^4) in all.

    Args:
        matrix: (n, n) float64, doubly stochastic. score: (n, n) float64, without ties between sums.
        max_terms: stop after so many terms; the weights then sum to less than 1.

    Returns:
        alpha (L,), permutations (L, n) int64: the column of each row, pivots (L,) int64: a row each.
    """
    n = matrix.shape[0]
    left = matrix.copy()
    cost = -score
    open_ = left > _ZERO
    u, v = np.zeros(n), np.zeros(n)
    for i in range(n):
        u[i] = cost[i].min()
    row_of, column_of = np.full(n, -1), np.full(n, -1)
    most = min(max_terms, n * n - n + 1)
    alpha, pivots = np.zeros(most), np.zeros(most, np.int64)
    permutations = np.zeros((most, n), np.int64)
    count = 0
    while count < most:
        complete = True
        for i in range(n):
            if column_of[i] < 0:
                complete = complete and _assign_row(cost, open_, i, u, v, row_of, column_of)
        if not complete:
            break
        pivot = 0
        for i in range(n):
            if left[i, column_of[i]] < left[pivot, column_of[pivot]]:
                pivot = i
        least = left[pivot, column_of[pivot]]
        alpha[count], pivots[count] = least, pivot
        permutations[count] = column_of
        count += 1
        for i in range(n):
            j = column_of[i]
            left[i, j] -= least
            if i == pivot or left[i, j] <= _ZERO:
                open_[i, j] = False
                row_of[j], column_of[i] = -1, -1
    return alpha[:count], permutations[:count], pivots[:count]


@compiled
def weights_adjoint(permutations: np.ndarray, pivots: np.ndarray, grad: np.ndarray) -> np.ndarray:
    """d(grad' alpha) / d matrix, (n, n): w_l at the pivot of step l, w = M^-T grad.

    M_lm = P_m(pivot_l) is unit lower triangular, M alpha = matrix[pivots]. Back substitution needs
    the sum of later w under P_l only: O(n) a term, no matrix M.
    """
    n = permutations.shape[1]
    out = np.zeros((n, n))
    for m in range(len(pivots) - 1, -1, -1):
        w = grad[m]
        for i in range(n):
            w -= out[i, permutations[m, i]]
        out[pivots[m], permutations[m, pivots[m]]] = w
    return out
