"""One sample and one batch of the projection, compiled: interior point, polish, adjoint."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np

from diffcomb.projection.kernels.compiling import compiled, compiled_inner
from diffcomb.projection.kernels.interior_point import Iterate, Workspace, interior_point, start_at_center
from diffcomb.projection.kernels.lanes import Lanes, lanes_interior_point
from diffcomb.projection.kernels.ldl import solve
from diffcomb.projection.kernels.polish import ROUNDS, Face, guess_face, polish
from diffcomb.projection.kernels.rows import (
    InstanceRows,
    LazyArrays,
    SystemArrays,
    rows_times,
    transposed_times,
)

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


class BatchRows(NamedTuple):
    """The rows of a batch: shared ones, with values of all or of each instance, and lazy ones.

    data (1 or batch, nonzeros), rhs (1 or batch, m), products (1, pairs): values; own_data, own_rhs say
    whether they are one per instance. carried (batch, K): lazy rows of each, NO_ROW at the end.
    """

    system: SystemArrays
    data: np.ndarray
    rhs: np.ndarray
    products: np.ndarray
    own_data: bool
    own_rhs: bool
    lazy: LazyArrays
    carried: np.ndarray

    def part(self, span: slice) -> BatchRows:
        """Those of some instances."""
        return self._replace(
            data=self.data[span] if self.own_data else self.data,
            rhs=self.rhs[span] if self.own_rhs else self.rhs,
            carried=self.carried[span],
        )


class BatchSolution(NamedTuple):
    """x (batch, n), y (batch, m + K), face (batch, n) int8, active (batch, m + K), filled by `solve_batch`.

    residual (batch,); counts (batch, 3) int: face dimension, tight rows, iterations. L (batch, size),
    inverse (batch, m + K): factor of J D J' on the face.
    """

    x: np.ndarray
    y: np.ndarray
    face: np.ndarray
    active: np.ndarray
    residual: np.ndarray
    counts: np.ndarray
    L: np.ndarray
    inverse: np.ndarray

    @staticmethod
    def of(batch: int, n: int, m: int, size: int) -> BatchSolution:
        """Room for it."""
        return BatchSolution(
            np.empty((batch, n)),
            np.empty((batch, m)),
            np.empty((batch, n), dtype=np.int8),
            np.empty((batch, m), dtype=np.bool_),
            np.empty(batch),
            np.empty((batch, 3), dtype=np.int64),
            np.empty((batch, size)),
            np.empty((batch, m)),
        )

    def part(self, rows: slice | np.ndarray) -> BatchSolution:
        """That of some instances."""
        return BatchSolution(*(array[rows] for array in self))


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
            _this_thread.size, _this_thread.scratch = (n, m), Scratch.allocated(n, m)
        kept: Scratch = _this_thread.scratch
        return kept

    @staticmethod
    def allocated(n: int, m: int) -> Scratch:
        """New work space."""
        # not in the kernel, where `np.empty` takes five seconds to compile
        columns, rows = np.empty((6, n)), np.empty((4, m))
        return Scratch(
            Workspace(np.empty((11, n)), np.empty((6, m))),
            Iterate(columns[0], columns[1], columns[2], columns[3], rows[0], rows[1]),
            columns[4:],
            rows[2:],
        )


def lanes_of(n: int, m: int, size: int, count: int) -> Lanes:
    """This thread's lanes, `count` of them; 0: none."""
    key = (n, m, size, count)
    if getattr(_this_thread, "lanes_key", None) != key:
        _this_thread.lanes_key, _this_thread.lanes = key, Lanes.of(*key)
    kept: Lanes = _this_thread.lanes
    return kept


@compiled_inner
def start_lanes(target, rows, lanes):  # type: ignore[no-untyped-def]
    """The interior points of up to as many instances as there are lanes; the last one fills the rest."""
    linear, curvature = lanes.columns[0], lanes.columns[16]
    n, width = linear.shape
    for lane in range(width):
        k = min(lane, len(target) - 1)
        largest = 1.0
        for i in range(n):
            largest = max(largest, abs(target[k, i]))
        for i in range(n):
            linear[i, lane] = -target[k, i] / largest
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


@compiled_inner
def instance_rows(rows, k, products, rhs):  # type: ignore[no-untyped-def]
    """The rows of instance k; rhs (m + K,): scratch for its right-hand sides."""
    shared = rows.rhs.shape[1]
    own = rows.rhs[k if rows.own_rhs else 0]
    for r in range(shared):
        rhs[r] = own[r]
    m = shared
    for c in rows.carried[k]:
        if c != NO_ROW:
            rhs[m] = rows.lazy.rhs[c]
            m += 1
    data = rows.data[k if rows.own_data else 0]
    return InstanceRows(rows.system, data, products, rows.lazy, rows.carried[k][: m - shared], rhs[:m])


@compiled
def solve_batch(target, rows, solution, scratch, lanes):  # type: ignore[no-untyped-def]
    """argmin 1/2 ||x - target||^2 per row of target (batch, n), with factor and face left for the adjoint.

    Args:
        rows: BatchRows. solution: BatchSolution, filled here.
        lanes: work space for several instances at once, which share all rows; empty: one at a time.
    """
    batch, n = target.shape
    work, point = scratch.work, scratch.point
    scaled, width = scratch.columns[0], lanes.own.shape[1]
    for k in range(batch):
        products = rows.products[0]
        if rows.own_data:
            products = rows.data[k][rows.system.left] * rows.data[k][rows.system.right]
        own = instance_rows(rows, k, products, scratch.rows[0])
        if width > 0 and k % width == 0:
            start_lanes(target[k : k + width], own, lanes)
        scale = 1.0
        for i in range(n):
            scale = max(scale, abs(target[k, i]))
        for i in range(n):
            scaled[i] = -target[k, i] / scale
        if width > 0:
            iterations = take_lane(lanes, k % width, point)
        else:
            start_at_center(scaled, 1.0 / scale, own, point, work)
            iterations = 0
        solution.y[k] = 0.0
        solution.active[k] = False
        face = Face(
            solution.face[k],
            solution.active[k],
            solution.x[k],
            solution.y[k],
            solution.L[k],
            solution.inverse[k],
        )
        for goal in (EARLY, 1e-8, 1e-10, 1e-12, 1e-14, 1e-16):
            if width == 0 or goal != EARLY:
                iterations += interior_point(
                    scaled, 1.0 / scale, own, point, work, face, goal, 60 - iterations
                )[0]
            guess_face(point, own, face)
            for r in range(len(own.rhs)):
                face.y[r] = point.y[r] * scale
            residual, dimension, tight = polish(
                target[k], own, point, face, work, EARLY_ROUNDS if goal == EARLY else ROUNDS
            )
            if residual <= ACCEPTED:
                break
        solution.residual[k] = residual
        solution.counts[k, 0], solution.counts[k, 1], solution.counts[k, 2] = dimension, tight, iterations


@compiled
def polish_point(target, rows, point, face, work, scale):  # type: ignore[no-untyped-def]
    """`polish` from an interior point of the problem scaled by `scale`; returns what it returns."""
    guess_face(point, rows, face)
    for r in range(len(rows.rhs)):
        face.y[r] = point.y[r] * scale
    return polish(target, rows, point, face, work, ROUNDS)


@compiled
def project_batch(grad, rows, solution, scratch, out, multipliers, all_faces):  # type: ignore[no-untyped-def]
    """out <- P grad and multipliers <- (J D J')^+ J D grad, per row, with the factors of `solve_batch`.

    At a vertex P = 0; the multipliers are then computed only for all_faces.
    """
    batch, n = grad.shape
    pulled, right = scratch.columns[0], scratch.rows[0]
    for k in range(batch):
        is_vertex = solution.counts[k, 0] == 0
        if is_vertex and not all_faces:
            out[k] = 0.0
            continue
        own = instance_rows(rows, k, rows.data[0], scratch.rows[1])
        face, active, m = solution.face[k], solution.active[k], len(own.rhs)
        size = 0.0
        for i in range(n):
            out[k, i] = grad[k, i] if face[i] == 0 else 0.0
            size = max(size, abs(grad[k, i]))
        multipliers[k] = 0.0
        # twice is enough: the second round removes the rounding of the first
        for _ in range(2):
            rows_times(out[k], own, right[:m])
            for r in range(m):
                if not active[r]:
                    right[r] = 0.0
            solve(solution.L[k], solution.inverse[k], right[:m], rows.system.elimination, m)
            transposed_times(right[:m], own, pulled)
            for i in range(n):
                if face[i] == 0:
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
    work, point, _, _ = Scratch.allocated(n, m)  # the point is given away
    face = Face.of(n, m, rows.system.elimination.size)
    cost = np.full(n, -0.5)
    start_at_center(cost, 1.0, rows, point, work)
    # complementarity stays at a hundredth: a central point
    _, _, primal = interior_point(cost, 1.0, rows, point, work, face, -1e-2, 40)
    return point.x, point.t, point.s, primal
