"""Batches solved over known rows: the exact minimiser, its face and factor, and the adjoint."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from scipy import sparse

from diffcomb.errors import SolveFailedError
from diffcomb.projection.conjugate_gradient import project_by_conjugate_gradients
from diffcomb.projection.kernels.batch import ACCEPTED, NO_ROW, Scratch, lanes_for, project_batch, solve_batch
from diffcomb.projection.kernels.rows import LazyArrays, no_lazy_rows
from diffcomb.projection.normal_system import NormalSystem

#: a batch is split over threads when (batch) x (factor entries + variables) reaches this
_PARALLEL_WORK = 20_000


@dataclass(frozen=True)
class Solved:
    """A batch with the faces and factors that the adjoint reuses.

    Rows: those of `system`, then up to K lazy ones of an instance's own, `lazy[carried]`.
    """

    system: NormalSystem
    lazy: LazyArrays
    members: np.ndarray
    carried: np.ndarray
    x: np.ndarray
    y: np.ndarray
    face: np.ndarray
    active: np.ndarray
    residual: np.ndarray
    counts: np.ndarray
    L: np.ndarray
    inverse: np.ndarray
    data: np.ndarray

    def subset(self, rows: np.ndarray) -> Solved:
        """Some instances of the batch."""
        names = ("members", "carried", "x", "y", "face", "active", "residual", "counts", "L", "inverse")
        own = (*names, "data") if len(self.data) > 1 else names
        return replace(self, **{name: getattr(self, name)[rows] for name in own})

    def tight(self, instance: int | np.integer) -> np.ndarray:
        """The lazy rows tight at the solution."""
        return self.carried[instance, self.active[instance, self.system.num_rows :]]

    def pull_back(self, grad: np.ndarray, backward: str) -> np.ndarray:
        """Pi g, by the method called `backward`."""
        if backward == "cholesky":
            return self.project(grad)[0]
        if self.carried.shape[1] == 0:
            J = self.system.matrix
            pulled = project_by_conjugate_gradients(J, self.face == 0, self.active, grad)
        else:
            pulled = np.concatenate([self._pull_back_alone(k, grad[k : k + 1]) for k in range(len(grad))])
        small = np.abs(pulled) <= 1e-12 * np.abs(grad).max(axis=1, keepdims=True, initial=0.0)
        pulled[small | (self.counts[:, :1] == 0)] = 0.0
        return pulled

    def _pull_back_alone(self, k: int, grad: np.ndarray) -> np.ndarray:
        """Conjugate gradients for one instance, whose rows no other has."""
        lazy, tight = self.lazy, self.tight(k)
        shape = (len(lazy.rhs), self.system.num_vars)
        rows = sparse.csr_array((lazy.values, lazy.columns.astype(np.int64), lazy.start), shape=shape)[tight]
        J = sparse.csr_array(sparse.vstack([self.system.matrix, rows], format="csr"))
        on = np.concatenate([self.active[k, : self.system.num_rows], np.ones(len(tight), dtype=bool)])
        return project_by_conjugate_gradients(J, self.face[k : k + 1] == 0, on[None], grad)

    def project(self, grad: np.ndarray, *, with_multipliers: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Pi g (batch, n) and (J D J')^+ J D g (batch, m + K)."""
        out, multipliers = np.empty_like(grad), np.empty_like(self.y)
        data, arrays = self.data, self.system.arrays(self.carried.shape[1])

        def run(part: slice) -> None:
            project_batch(
                grad[part],
                data[part] if len(data) > 1 else data,
                arrays,
                self.lazy,
                self.carried[part],
                Scratch.of(grad.shape[1], self.y.shape[1]),
                self.face[part],
                self.active[part],
                self.counts[part],
                self.L[part],
                self.inverse[part],
                out[part],
                multipliers[part],
                with_multipliers,
            )

        # an adjoint costs a fiftieth of a solve
        _in_parallel(run, len(grad), self.L.shape[1] // 50)
        return out, multipliers


def solve_known_rows(
    system: NormalSystem,
    cost: np.ndarray,
    members: np.ndarray,
    data: np.ndarray | None = None,
    rhs: np.ndarray | None = None,
    *,
    lazy: LazyArrays | None = None,
    carried: list[np.ndarray] | None = None,
) -> Solved:
    """Solve a batch over the rows of `system`, with the instances' own values of them where given.

    Args:
        cost: (batch, n) theta / rho. members: (batch,) their numbers, for messages and grouping.
        data: (batch, nonzeros of J), scaled like `system.data`. rhs: (batch, m).
        lazy, carried: further rows, and which of them each instance has.

    Raises:
        SolveFailedError: a KKT residual above `ACCEPTED`.
    """
    batch, n = len(cost), system.num_vars
    places = _padded(carried, batch)
    m = system.num_rows + places.shape[1]
    arrays = system.arrays(places.shape[1])
    size = arrays.elimination.size
    solved = Solved(
        system,
        lazy or no_lazy_rows(),
        members,
        places,
        x=np.empty((batch, n)),
        y=np.empty((batch, m)),
        face=np.empty((batch, n), dtype=np.int8),
        active=np.empty((batch, m), dtype=np.bool_),
        residual=np.empty(batch),
        counts=np.empty((batch, 3), dtype=np.int64),
        L=np.empty((batch, size)),
        inverse=np.empty((batch, m)),
        data=system.data[None] if data is None else data,
    )
    rhs = system.rhs[None] if rhs is None else rhs
    data, products = solved.data, system.products[None]

    def own(values: np.ndarray, part: slice) -> np.ndarray:
        return values[part] if len(values) > 1 else values

    def run(part: slice) -> None:
        solve_batch(
            cost[part],
            own(data, part),
            own(rhs, part),
            products,
            arrays,
            solved.lazy,
            places[part],
            Scratch.of(n, m),
            lanes_for(part.stop - part.start, arrays, shared=len(data) == 1 and not places.shape[1]),
            solved.x[part],
            solved.y[part],
            solved.face[part],
            solved.active[part],
            solved.residual[part],
            solved.counts[part],
            solved.L[part],
            solved.inverse[part],
        )

    _in_parallel(run, batch, size + n)
    refuse_failures(solved.residual, members, ACCEPTED)
    return solved


def _padded(carried: list[np.ndarray] | None, batch: int) -> np.ndarray:
    """(batch, K) places, NO_ROW behind an instance's own; K in steps of 8, so that few K occur."""
    width = max((len(places) for places in carried), default=0) if carried else 0
    padded = np.full((batch, -(-width // 8) * 8), NO_ROW, dtype=np.int64)
    if width and carried:
        for row, places in zip(padded, carried, strict=True):
            row[: len(places)] = places
    return padded


def refuse_failures(residual: np.ndarray, members: np.ndarray, accepted: float) -> None:
    """Raise SolveFailedError if a residual is too large, infinite or NaN."""
    if not residual.max(initial=0.0) <= accepted:  # a NaN fails the comparison
        failed = np.flatnonzero(~(residual <= accepted))
        raise SolveFailedError(
            f"{len(failed)} of {len(members)} relaxed decisions did not reach a KKT residual of"
            f" {accepted:.0e} (the first is instance {members[failed[0]]}, residual"
            f" {residual[failed[0]]:.1e}); raise rho, or use solver='vertices'."
        )


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="diffcomb-kkt")


def _in_parallel(run, batch: int, work: int) -> None:  # type: ignore[no-untyped-def]
    """run(slice) over the batch, on as many threads as torch may use.

    numba is not asked: its `get_num_threads` starts a thread pool that resets torch's setting.
    """
    count = min(torch.get_num_threads(), batch)
    if count <= 1 or batch * work < _PARALLEL_WORK:
        run(slice(0, batch))
        return
    # twice as many parts as threads evens out instances that take longer
    cuts = np.linspace(0, batch, min(2 * count, batch) + 1).astype(int)
    list(_threads(count).map(run, [slice(a, b) for a, b in pairwise(cuts)]))
