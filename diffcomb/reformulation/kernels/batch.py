"""One sample and one batch of the relaxed decision, compiled: interior point, polish, adjoint."""

from __future__ import annotations

import numpy as np

from diffcomb.reformulation.kernels.compiled import compiled
from diffcomb.reformulation.kernels.interior_point import (
    Iterate,
    Workspace,
    interior_point,
    rows_times,
    start_at_center,
    transposed_times,
)
from diffcomb.reformulation.kernels.ldl import solve
from diffcomb.reformulation.kernels.polish import ROUNDS, guess_face, polish

#: largest scaled KKT residual that passes
ACCEPTED = 1e-11
#: the first polish is tried at this complementarity already, with a few exchanges of the face: where it
#: reaches an exact KKT point, the last interior-point steps are saved
EARLY, EARLY_ROUNDS = 1e-5, 2


@compiled
def solve_batch(  # type: ignore[no-untyped-def]
    cost, data, rhs, products, system, x, y, face, active, residual, counts, L, inverse
):
    """argmin 1/2 ||x - (1/2 - cost)||^2 per row of cost, with factor and face left for the adjoint.

    Args:
        cost: (batch, n) theta / rho. data, rhs, products: (1 or batch, ...) values of the rows.
        x (batch, n), y (batch, m), face (batch, n) int8, active (batch, m): solution, filled here.
        residual (batch,), counts (batch, 3) int: KKT residual; face dimension, tight rows, iterations.
        L (batch, size), inverse (batch, m): factor of J D J' on the face.
    """
    batch, n = cost.shape
    m = rhs.shape[1]
    work = Workspace(np.empty((11, n)), np.empty((6, m)))
    point = Iterate(np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(m), np.empty(m))
    scaled, p = np.empty(n), np.empty(n)
    for k in range(batch):
        own = k
        own_products = products[0]
        if len(data) > 1:
            own_products = data[own][system.left] * data[own][system.right]
        own_data, own_rhs = data[own if len(data) > 1 else 0], rhs[own if len(rhs) > 1 else 0]
        scale = 1.0
        for i in range(n):
            p[i] = 0.5 - cost[k, i]
            scale = max(scale, abs(cost[k, i]))
        for i in range(n):
            scaled[i] = -p[i] / scale
        start_at_center(scaled, 1.0 / scale, own_data, own_rhs, system, point, work)
        iterations = 0
        residual[k] = np.inf
        for target in (EARLY, 1e-8, 1e-10, 1e-12, 1e-14, 1e-16):
            done, _, _ = interior_point(
                scaled,
                1.0 / scale,
                own_data,
                own_products,
                own_rhs,
                system,
                point,
                work,
                L[k],
                inverse[k],
                target,
                0.0,
                60 - iterations,
            )
            iterations += done
            guess_face(point, system, face[k], active[k])
            for r in range(m):
                y[k, r] = point.y[r] * scale
            residual[k], counts[k, 0], counts[k, 1] = polish(
                p,
                own_data,
                own_products,
                own_rhs,
                system,
                point.x,
                point.s,
                face[k],
                active[k],
                y[k],
                x[k],
                work,
                L[k],
                inverse[k],
                EARLY_ROUNDS if target == EARLY else ROUNDS,
            )
            if residual[k] <= ACCEPTED:
                break
        counts[k, 2] = iterations


@compiled
def project_batch(  # type: ignore[no-untyped-def]
    grad, data, system, face, active, dimension, L, inverse, out, multipliers, with_multipliers
):
    """out <- Pi grad and multipliers <- (J D J')^+ J D grad, per row, with the factors of `solve_batch`.

    At a vertex Pi = 0; the multipliers are then computed only if asked for.
    """
    batch, n = grad.shape
    m = active.shape[1]
    right, pulled = np.empty(m), np.empty(n)
    for k in range(batch):
        own_data = data[k if len(data) > 1 else 0]
        if dimension[k] == 0 and not with_multipliers:
            out[k] = 0.0
            continue
        size = 0.0
        for i in range(n):
            out[k, i] = grad[k, i] if face[k, i] == 0 else 0.0
            size = max(size, abs(grad[k, i]))
        multipliers[k] = 0.0
        # twice is enough: the second round removes the rounding of the first
        for _ in range(2):
            rows_times(out[k], own_data, system, right)
            for r in range(m):
                if not active[k, r]:
                    right[r] = 0.0
            solve(L[k], inverse[k], right, system.elimination)
            transposed_times(right, own_data, system, pulled)
            for i in range(n):
                if face[k, i] == 0:
                    out[k, i] -= pulled[i]
            for r in range(m):
                multipliers[k, r] += right[r]
        for i in range(n):
            if dimension[k] == 0 or abs(out[k, i]) <= 1e-12 * size:
                out[k, i] = 0.0


@compiled
def central_point(data, rhs, products, system):  # type: ignore[no-untyped-def]
    """A point well inside X, its slacks and its primal residual: large only if X has an interior."""
    n, m = len(system.start) - 1, len(rhs)
    work = Workspace(np.empty((11, n)), np.empty((6, m)))
    point = Iterate(np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(m), np.empty(m))
    cost, L, inverse = np.full(n, -0.5), np.empty(0), np.empty(m)
    size = system.elimination.column[-1] + system.elimination.tail**2
    L = np.empty(size)
    start_at_center(cost, 1.0, data, rhs, system, point, work)
    _, _, primal = interior_point(
        cost, 1.0, data, products, rhs, system, point, work, L, inverse, 1e-9, 1e-2, 40
    )
    return point.x, point.t, point.s, primal
