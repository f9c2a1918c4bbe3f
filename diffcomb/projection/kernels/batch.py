"""One sample and one batch of the relaxed decision, compiled: interior point, polish, adjoint."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np

from diffcomb.projection.kernels.compiled import compiled, compiled_inner
from diffcomb.projection.kernels.interior_point import Iterate, Workspace, interior_point, start_at_center
from diffcomb.projection.kernels.lanes import Lanes, lanes_interior_point
from diffcomb.projection.kernels.ldl import solve
from diffcomb.projection.kernels.polish import ROUNDS, guess_face, polish
from diffcomb.projection.kernels.rows import InstanceRows, SystemArrays, rows_times, transposed_times

#: largest scaled KKT residual that passes
ACCEPTED = 1e-11
#: the first polish is tried at this complementarity already, with a few exchanges of the face: where it
#: reaches an exact KKT point, the last interior-point steps are saved
EARLY, EARLY_ROUNDS = 1e-5, 2
#: of the lanes; who needs more goes on alone
LANES_ITERATIONS = 30
#: marks an unused place in `carried`
NO_ROW = -1


_this_thread = threading.local()


def lanes_for(batch: int, system: SystemArrays, *, shared: bool) -> Lanes:
    """This thread's lanes for a batch whose instances share all rows; empty otherwise."""
    n, m, size = len(system.start) - 1, len(system.diagonal), system.elimination.size
    key = (n, m, size, Lanes.fitting(n, m, size, batch) if shared else 0)
    if getattr(_this_thread, "lanes_key", None) != key:
        _this_thread.lanes_key, _this_thread.lanes = key, Lanes.of(*key)
    kept: Lanes = _this_thread.lanes
    return kept


class Scratch(NamedTuple):
    """Work space of one thread, for n variables and up to m rows."""

    work: Workspace
    point: Iterate
    columns: np.ndarray
    rows: np.ndarray

    @staticmethod
    def of(n: int, m: int) -> Scratch:
        """This thread's, kept for its next call of the same size."""
        if getattr(_this_thread, "size", None) != (n, m):
            _this_thread.size, _this_thread.scratch = (n, m), Scratch._allocated(n, m)
        kept: Scratch = _this_thread.scratch
        return kept

    @staticmethod
    def _allocated(n: int, m: int) -> Scratch:
        # not in the kernel, where `np.empty` takes five seconds to compile
        columns, rows = np.empty((6, n)), np.empty((4, m))
        return Scratch(
            Workspace(np.empty((11, n)), np.empty((6, m))),
            Iterate(columns[0], columns[1], columns[2], columns[3], rows[0], rows[1]),
            columns[4:],
            rows[2:],
        )


@compiled_inner
def start_lanes(cost, rows, lanes):  # type: ignore[no-untyped-def]
    """The interior points of up to as many instances as there are lanes; the last one fills the rest."""
    linear, curvature = lanes.columns[0], lanes.columns[16]
    n, width = linear.shape
    for lane in range(width):
        k = min(lane, len(cost) - 1)
        largest = 1.0
        for i in range(n):
            largest = max(largest, abs(cost[k, i]))
        for i in range(n):
            linear[i, lane] = (cost[k, i] - 0.5) / largest
            curvature[i, lane] = 1.0 / largest
    lanes_interior_point(rows, lanes, EARLY, LANES_ITERATIONS)


@compiled_inner
def take_lane(lanes, lane, point):  # type: ignore[no-untyped-def]
    """Copy one lane's interior point; returns its iterations."""
    columns, rows = lanes.columns, lanes.rows
    for i in range(columns.shape[1]):
        point.x[i], point.t[i] = columns[1, i, lane], columns[2, i, lane]
        point.lower[i], point.upper[i] = columns[3, i, lane], columns[4, i, lane]
    for r in range(rows.shape[1]):
        point.y[r], point.s[r] = rows[0, r, lane], rows[1, r, lane]
    return lanes.iterations[lane]


@compiled
def solve_batch(  # type: ignore[no-untyped-def]
    cost,
    data,
    rhs,
    products,
    system,
    lazy,
    carried,
    scratch,
    lanes,
    x,
    y,
    face,
    active,
    residual,
    counts,
    L,
    inverse,
):
    """argmin 1/2 ||x - (1/2 - cost)||^2 per row of cost, with factor and face left for the adjoint.

    Args:
        cost: (batch, n) theta / rho. data, rhs, products: (1 or batch, ...) values of the shared rows.
        lazy, carried: all lazy rows, and which of them each instance has: (batch, K), NO_ROW at the end.
        lanes: work space for several instances at once, which share all rows; empty: one at a time.
        x (batch, n), y (batch, m + K), face (batch, n) int8, active (batch, m + K): solution, filled here.
        residual (batch,), counts (batch, 3) int: KKT residual; face dimension, tight rows, iterations.
        L (batch, size), inverse (batch, m + K): factor of J D J' on the face.
    """
    batch, n = cost.shape
    shared = rhs.shape[1]
    work, point = scratch.work, scratch.point
    scaled, p = scratch.columns[0], scratch.columns[1]
    width = lanes.own.shape[1]
    for k in range(batch):
        if width > 0 and k % width == 0:
            start_lanes(
                cost[k : k + width],
                InstanceRows(system, data[0], products[0], lazy, carried[0][:0], rhs[0]),
                lanes,
            )
        own_products = products[0]
        if len(data) > 1:
            own_products = data[k][system.left] * data[k][system.right]
        m = shared
        for c in carried[k]:
            if c != NO_ROW:
                scratch.rows[0, m] = lazy.rhs[c]
                m += 1
        own_rhs = scratch.rows[0][:m]
        own_rhs[:shared] = rhs[k if len(rhs) > 1 else 0]
        own_data = data[k if len(data) > 1 else 0]
        rows = InstanceRows(system, own_data, own_products, lazy, carried[k][: m - shared], own_rhs)
        scale = 1.0
        for i in range(n):
            p[i] = 0.5 - cost[k, i]
            scale = max(scale, abs(cost[k, i]))
        for i in range(n):
            scaled[i] = -p[i] / scale
        if width > 0:
            iterations = take_lane(lanes, k % width, point)
        else:
            start_at_center(scaled, 1.0 / scale, rows, point, work)
            iterations = 0
        residual[k] = np.inf
        y[k] = 0.0
        active[k] = False
        for target in (EARLY, 1e-8, 1e-10, 1e-12, 1e-14, 1e-16):
            if width == 0 or target != EARLY:
                done, _, _ = interior_point(
                    scaled, 1.0 / scale, rows, point, work, L[k], inverse[k], target, 0.0, 60 - iterations
                )
                iterations += done
            guess_face(point, rows, face[k], active[k])
            for r in range(m):
                y[k, r] = point.y[r] * scale
            residual[k], counts[k, 0], counts[k, 1] = polish(
                p,
                rows,
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
def polish_point(point, p, rows, face, active, y, x, work, L, inverse):  # type: ignore[no-untyped-def]
    """`polish` from an interior point found elsewhere, y unscaled; returns what it returns."""
    guess_face(point, rows, face, active)
    return polish(p, rows, point.x, point.s, face, active, y, x, work, L, inverse, ROUNDS)


@compiled
def project_batch(  # type: ignore[no-untyped-def]
    grad, data, system, lazy, carried, scratch, face, active, counts, L, inverse, out, multipliers, all_faces
):
    """out <- Pi grad and multipliers <- (J D J')^+ J D grad, per row, with the factors of `solve_batch`.

    At a vertex Pi = 0; the multipliers are then computed only for all_faces.
    """
    batch, n = grad.shape
    pulled = scratch.columns[0]
    for k in range(batch):
        own_data = data[k if len(data) > 1 else 0]
        is_vertex = counts[k, 0] == 0
        if is_vertex and not all_faces:
            out[k] = 0.0
            continue
        m = active.shape[1] - len(carried[k])
        shared = m
        for c in carried[k]:
            if c != NO_ROW:
                m += 1
        right = scratch.rows[0][:m]
        rows = InstanceRows(system, own_data, own_data, lazy, carried[k][: m - shared], right)
        size = 0.0
        for i in range(n):
            out[k, i] = grad[k, i] if face[k, i] == 0 else 0.0
            size = max(size, abs(grad[k, i]))
        multipliers[k] = 0.0
        # twice is enough: the second round removes the rounding of the first
        for _ in range(2):
            rows_times(out[k], rows, right)
            for r in range(m):
                if not active[k, r]:
                    right[r] = 0.0
            solve(L[k], inverse[k], right, system.elimination, m)
            transposed_times(right, rows, pulled)
            for i in range(n):
                if face[k, i] == 0:
                    out[k, i] -= pulled[i]
            for r in range(m):
                multipliers[k, r] += right[r]
        for i in range(n):
            if is_vertex or abs(out[k, i]) <= 1e-12 * size:
                out[k, i] = 0.0


def central_point(rows: InstanceRows) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """A point well inside X, its slacks and its primal residual: large only if X has an interior.

    Runs once a polytope, so it stays Python: compiled, it would build a second copy of the interior point.
    """
    n, m = len(rows.system.start) - 1, len(rows.rhs)
    work, point, _, _ = Scratch._allocated(n, m)  # the point is given away
    L, inverse = np.empty(rows.system.elimination.size), np.empty(m)
    cost = np.full(n, -0.5)
    start_at_center(cost, 1.0, rows, point, work)
    _, _, primal = interior_point(cost, 1.0, rows, point, work, L, inverse, 1e-9, 1e-2, 40)
    return point.x, point.t, point.s, primal
