"""Wolfe's minor cycle, compiled: project on the hull of a few points, dropping those that do not help.

D holds the differences member_j - member_0; D' = Q' R with orthonormal rows of Q, extended by one row when
a member comes and rebuilt when one goes (Wolfe 1976, Finding the nearest point in a polytope).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.projection.kernels.compiling import compiled, compiled_inner

#: a member nearer than this share of its difference to the hull of the others depends on them
_DEPENDENT = 1e-9
#: a weight below it is zero
_ZERO_WEIGHT = 1e-14


class Corral(NamedTuple):
    """Room for members (capacity, n), weights and affine weights (capacity,), Q (capacity, n) and R."""

    members: np.ndarray
    weights: np.ndarray
    affine: np.ndarray
    Q: np.ndarray
    R: np.ndarray

    @staticmethod
    def of(capacity: int, n: int) -> Corral:
        return Corral(
            np.empty((capacity, n)),
            np.zeros(capacity),
            np.empty(capacity),
            np.empty((capacity, n)),
            np.zeros((capacity, capacity)),
        )

    def doubled(self) -> Corral:
        """The same with room for twice as many, at most n + 1 of which are independent."""
        had, n = self.members.shape
        larger = Corral.of(2 * had, n)
        larger.members[:had], larger.weights[:had] = self.members, self.weights
        larger.Q[:had], larger.R[:had, :had] = self.Q, self.R
        return larger


@compiled_inner
def _extend(members, j, Q, R):  # type: ignore[no-untyped-def]
    """Row j - 1 of Q and column j - 1 of R from member j; False when it depends on those before."""
    k, n = j - 1, members.shape[1]
    size = 0.0
    for i in range(n):
        value = members[j, i] - members[0, i]
        Q[k, i] = value
        size += value * value
    for a in range(k):
        R[a, k] = 0.0
    for _ in range(2):  # a second pass removes the rounding of the first
        for a in range(k):
            product = 0.0
            for i in range(n):
                product += Q[a, i] * Q[k, i]
            R[a, k] += product
            for i in range(n):
                Q[k, i] -= product * Q[a, i]
    left = 0.0
    for i in range(n):
        left += Q[k, i] * Q[k, i]
    if left <= _DEPENDENT * _DEPENDENT * size:
        return False
    R[k, k] = left**0.5
    for i in range(n):
        Q[k, i] /= R[k, k]
    return True


@compiled
def reproject(corral, count, target, x):  # type: ignore[no-untyped-def]
    """Take in the member at place count - 1, whose weight is 0: x <- projection of target on their hull.

    Args:
        corral: its first places are used; members and weights are reordered when some go.

    Returns:
        How many members are left, or -1 when the new one depends on the others.
    """
    members, weights, affine, Q, R = corral
    n = members.shape[1]
    if not _extend(members, count - 1, Q, R):
        return -1
    while True:
        # affine weights: R w = Q (target - member_0)
        for a in range(count - 1):
            value = 0.0
            for i in range(n):
                value += Q[a, i] * (target[i] - members[0, i])
            affine[a + 1] = value
        rest = 1.0
        for a in range(count - 2, -1, -1):
            for b in range(a + 1, count - 1):
                affine[a + 1] -= R[a, b] * affine[b + 1]
            affine[a + 1] /= R[a, a]
            rest -= affine[a + 1]
        affine[0] = rest
        # walk towards the affine minimiser until a weight reaches 0, and drop that member
        drop, step = -1, 1.0
        for j in range(count):
            if affine[j] < _ZERO_WEIGHT:
                move = weights[j] - affine[j]
                reached = weights[j] / move if move > 0.0 else 1.0
                if drop < 0 or reached < step:
                    drop, step = j, min(reached, 1.0)
        if drop < 0:
            break
        total = 0.0
        for j in range(count):
            weights[j] = max(weights[j] - step * (weights[j] - affine[j]), 0.0)
            if j != drop:
                total += weights[j]
        for j in range(count - 1):
            source = j + 1 if j >= drop else j
            weights[j] = weights[source] / total
            if source != j:
                for i in range(n):
                    members[j, i] = members[source, i]
        count -= 1
        for j in range(1, count):
            _extend(members, j, Q, R)
    for j in range(count):
        weights[j] = affine[j]
    for i in range(n):
        value = 0.0
        for j in range(count):
            value += weights[j] * members[j, i]
        x[i] = value
    return count
