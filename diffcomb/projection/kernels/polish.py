"""From an interior point to the exact solution: identify the face, project on it, check the KKT system.

On the face {x : J_a x = b_a, x_i = 0 or 1 off the free set F} the minimiser of 1/2 ||x - p||^2 is
x_F = p_F - J' y with M y = J D p - b, M = J D J', D = diag(F). The interior point gives the face by
strict complementarity (a bound holds when its multiplier exceeds its slack) and the multipliers that
a singular M leaves undetermined. Wrong guesses show as a free x outside the box or a multiplier of
the wrong sign and are exchanged, as in an active-set method.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.projection.kernels.compiling import compiled, compiled_inner
from diffcomb.projection.kernels.ldl import factorize, solve
from diffcomb.projection.kernels.rows import border_row, rows_times, transposed_times

#: a pivot below this share of its diagonal is a dependent row: rows have unit norm, and true pivots
#: of a face are far above it, rounding far below
RANK_TOLERANCE = 1e-10
#: exchanges of a polish from an accurate interior point
ROUNDS = 16


class Face(NamedTuple):
    """The face of one instance, its solution there, and the factor of J D J' on it.

    face (n,) int8: -1 at 0, 0 free, 1 at 1; active (m,) bool; x (n,), y (m,); L (size,), inverse (m,).
    """

    face: np.ndarray
    active: np.ndarray
    x: np.ndarray
    y: np.ndarray
    L: np.ndarray
    inverse: np.ndarray

    @staticmethod
    def of(n: int, m: int, size: int) -> Face:
        """Room for it: every coordinate free, every row active."""
        return Face(
            np.zeros(n, dtype=np.int8),
            np.ones(m, dtype=np.bool_),
            np.empty(n),
            np.empty(m),
            np.empty(size),
            np.empty(m),
        )


@compiled_inner
def guess_face(point, rows, guess):  # type: ignore[no-untyped-def]
    """Fill face and active of `guess` by strict complementarity of an interior point."""
    x, t, lower, upper, y, s = point
    face, active = guess.face, guess.active
    for i in range(len(x)):
        face[i] = 0
        if lower[i] > x[i]:
            face[i] = -1
        elif upper[i] > t[i]:
            face[i] = 1
    for r in range(len(rows.rhs)):
        active[r] = not rows.system.is_inequality[r] or y[r] > s[r]


@compiled
def face_matrix(on, rows, free, scratch):  # type: ignore[no-untyped-def]
    """on.L <- J D J' over the active rows; a one on the diagonal of the others. free, scratch: (n,) space."""
    L, face, active = on.L, on.face, on.active
    system, products = rows.system, rows.products
    position, first, column_of = system.entry_position, system.entry_start, system.column_of
    pair, m, own = system.entry_rows, len(rows.rhs), rows.own
    L[:] = 0.0
    for e in range(len(position)):
        if active[pair[e, 0]] and active[pair[e, 1]]:
            value = 0.0
            for c in range(first[e], first[e + 1]):
                if face[column_of[c]] == 0:
                    value += products[c]
            L[position[e]] = value
    shared = m - len(own)
    if len(own) > 0:
        for i in range(len(face)):
            free[i] = 1.0 if face[i] == 0 else 0.0
            scratch[i] = 0.0
        for b in range(len(own)):
            if active[shared + b]:
                border_row(L, free, rows, b, scratch)
                row = np.int64(system.diagonal[shared + b]) - shared - b
                for r in range(shared + b):
                    if not active[r]:
                        L[row + r] = 0.0
    for r in range(m):
        if not active[r]:
            L[system.diagonal[r]] = 1.0


@compiled_inner
def _project_on_face(p, rows, on, work):  # type: ignore[no-untyped-def]
    """on.x, on.y <- minimiser over the face; returns (free coordinates, rank of M, primal residual)."""
    face, active, x, y, L, inverse = on
    rhs, elimination = rows.rhs, rows.system.elimination
    n, m = len(p), len(rhs)
    pulled, product, dy, scratch = work.columns[0], work.rows[0], work.rows[1], work.rows[2]
    for r in range(m):
        if not active[r]:
            y[r] = 0.0
    face_matrix(on, rows, work.columns[1], work.columns[2])
    rank = factorize(L, inverse, scratch, RANK_TOLERANCE, elimination, m)
    free, primal = 0, np.inf
    transposed_times(y, rows, pulled)
    for i in range(n):
        if face[i] == 0:
            free += 1
            x[i] = p[i] - pulled[i]
        else:
            x[i] = 0.0 if face[i] < 0 else 1.0
    for refinement in range(4):
        rows_times(x, rows, product)
        primal = 0.0
        for r in range(m):
            dy[r] = 0.0
            if active[r]:
                dy[r] = product[r] - rhs[r]
                primal = max(primal, abs(dy[r]))
        if primal <= 1e-15 or refinement == 3:
            break
        solve(L, inverse, dy, elimination, m)
        transposed_times(dy, rows, pulled)
        for r in range(m):
            y[r] += dy[r]
        for i in range(n):
            if face[i] == 0:
                x[i] -= pulled[i]
    return free, rank, primal


@compiled_inner
def _first_block(origin, slack, on, product, rhs, snap):  # type: ignore[no-untyped-def]
    """Share of the way from the interior point to x at which the first bound or row blocks; 1 if none."""
    face, active, x = on.face, on.active, on.x
    share = 1.0
    for i in range(len(x)):
        if face[i] == 0:
            if x[i] < -snap:
                share = min(share, origin[i] / (origin[i] - x[i]))
            elif x[i] > 1.0 + snap:
                share = min(share, (1.0 - origin[i]) / (x[i] - origin[i]))
    for r in range(len(rhs)):
        if not active[r] and product[r] - rhs[r] > snap:
            share = min(share, slack[r] / (slack[r] + product[r] - rhs[r]))
    return share


@compiled_inner
def polish(p, rows, point, on, work, rounds):  # type: ignore[no-untyped-def]
    """Exact x and y on the right face, starting from a guess of both.

    Args:
        p: (n,) the point to project. rows: InstanceRows. point: the interior point.
        on: Face with guesses of face, active and y, updated in place; its factor is that of the final face.
        rounds: exchanges before giving up.

    Returns:
        (residual, face dimension, tight inequalities); the residual is infinite when the face could
        not be found from this guess.
    """
    rhs, is_inequality = rows.rhs, rows.system.is_inequality
    face, active, x, y = on.face, on.active, on.x, on.y
    origin, slack = point.x, point.s
    n, m = len(p), len(rhs)
    pulled, product = work.columns[0], work.rows[0]
    scale = 1.0
    for i in range(n):
        scale = max(scale, abs(p[i]))
    # costs of size 1e6 in units of rho move x by 1e6 times rounding: the tolerances follow
    snap = max(1e-11, 1e-14 * scale)
    sign = 1e-12 * scale
    for attempt in range(rounds):
        if attempt == ROUNDS // 2:
            # a bound missed by less than `snap` can have a multiplier whose sign says to leave it, and
            # the exchange would go round in circles: from here on the point decides alone
            snap = -1e-14 * scale
        free, rank, primal = _project_on_face(p, rows, on, work)
        # of the bounds that x oversteps only those met first are added: all at once can leave no point
        near = 100.0 * _first_block(origin, slack, on, product, rhs, abs(snap))
        transposed_times(y, rows, pulled)
        changed = False
        stationarity, outside = 0.0, 0.0
        for i in range(n):
            gradient = x[i] - p[i] + pulled[i]
            if face[i] == 0:
                stationarity = max(stationarity, abs(gradient))
                # written without division: distance <= near * movement
                if x[i] <= snap:
                    changed = True
                    if x[i] >= -abs(snap) or origin[i] <= near * (origin[i] - x[i]):
                        face[i] = -1
                elif x[i] >= 1.0 - snap:
                    changed = True
                    if x[i] <= 1.0 + abs(snap) or 1.0 - origin[i] <= near * (x[i] - origin[i]):
                        face[i] = 1
            elif gradient * face[i] > sign:
                face[i] = 0
                changed = True
            else:
                stationarity = max(stationarity, gradient * face[i])
        tight = 0
        for r in range(m):
            if not active[r]:
                excess = product[r] - rhs[r]
                if excess >= -snap:
                    changed = True
                    if excess <= abs(snap) or slack[r] <= near * (slack[r] + excess):
                        active[r] = True
            elif is_inequality[r]:
                tight += 1
                if y[r] < -sign:
                    active[r] = False
                    changed = True
        if not changed:
            for i in range(n):
                outside = max(outside, -x[i], x[i] - 1.0)
                x[i] = min(max(x[i], 0.0), 1.0)
            inactive = 0
            for r in range(m):
                if not active[r]:
                    inactive += 1
                    outside = max(outside, product[r] - rhs[r])
            return max(primal, outside, stationarity / scale), free - (rank - inactive), tight
    return np.inf, 0, 0
