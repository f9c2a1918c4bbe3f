"""Batches solved over known rows: the exact minimiser, its face and factor, and the adjoint."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from scipy import sparse

from diffcomb.errors import SolveFailedError
from diffcomb.projection.conjugate_gradient import project_by_conjugate_gradients
from diffcomb.projection.kernels.batch import (
    ACCEPTED,
    NO_ROW,
    BatchRows,
    BatchSolution,
    Scratch,
    lanes_of,
    project_batch,
    solve_batch,
)
from diffcomb.projection.kernels.rows import LazyArrays, no_lazy_rows
from diffcomb.projection.normal_system import NormalSystem
from diffcomb.projection.route import fitting_lanes

#: a batch is split over threads when (batch) x (factor entries + variables) reaches this
_PARALLEL_WORK = 20_000


@dataclass(frozen=True)
class Solved:
    """A batch with the faces and factors that the adjoint reuses.

    Rows: those of `system`, then up to K lazy ones of an instance's own. members: numbers of the instances.
    """

    system: NormalSystem
    rows: BatchRows
    members: np.ndarray
    solution: BatchSolution

    @property
    def x(self) -> np.ndarray:
        return self.solution.x

    @property
    def residual(self) -> np.ndarray:
        return self.solution.residual

    @property
    def counts(self) -> np.ndarray:
        """(batch, 3) face dimension, tight rows, iterations."""
        return self.solution.counts

    def subset(self, places: np.ndarray) -> Solved:
        """Some instances of the batch."""
        own = {name: getattr(self.rows, name)[places] for name in ("carried",)}
        if self.rows.own_data:
            own["data"] = self.rows.data[places]
        if self.rows.own_rhs:
            own["rhs"] = self.rows.rhs[places]
        rows, solution = self.rows._replace(**own), self.solution.part(places)
        return replace(self, rows=rows, members=self.members[places], solution=solution)

    def tight(self, instance: int | np.integer) -> np.ndarray:
        """The lazy rows tight at the solution."""
        return self.rows.carried[instance, self.solution.active[instance, self.system.num_rows :]]

    def pull_back(self, grad: np.ndarray, backward: str) -> np.ndarray:
        """P g, by the method called `backward`."""
        if backward == "cholesky":
            return self.project(grad)[0]
        face, active = self.solution.face, self.solution.active
        if self.rows.carried.shape[1] == 0:
            pulled = project_by_conjugate_gradients(self.system.matrix, face == 0, active, grad)
        else:
            pulled = np.concatenate([self._pull_back_alone(k, grad[k : k + 1]) for k in range(len(grad))])
        small = np.abs(pulled) <= 1e-12 * np.abs(grad).max(axis=1, keepdims=True, initial=0.0)
        pulled[small | (self.counts[:, :1] == 0)] = 0.0
        return pulled

    def _pull_back_alone(self, k: int, grad: np.ndarray) -> np.ndarray:
        """Conjugate gradients for one instance, whose rows no other has."""
        lazy, tight = self.rows.lazy, self.tight(k)
        shape = (len(lazy.rhs), self.system.num_vars)
        rows = sparse.csr_array((lazy.values, lazy.columns.astype(np.int64), lazy.start), shape=shape)[tight]
        J = sparse.csr_array(sparse.vstack([self.system.matrix, rows], format="csr"))
        shared = self.solution.active[k, : self.system.num_rows]
        on = np.concatenate([shared, np.ones(len(tight), dtype=bool)])
        return project_by_conjugate_gradients(J, self.solution.face[k : k + 1] == 0, on[None], grad)

    def project(self, grad: np.ndarray, *, with_multipliers: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """P g (batch, n) and (J D J')^+ J D g (batch, m + K)."""
        out, multipliers = np.empty_like(grad), np.empty_like(self.solution.y)

        def run(part: slice) -> None:
            project_batch(
                grad[part],
                self.rows.part(part),
                self.solution.part(part),
                Scratch.of(grad.shape[1], multipliers.shape[1]),
                out[part],
                multipliers[part],
                with_multipliers,
            )

        # an adjoint costs a fiftieth of a solve
        in_parallel(run, len(grad), self.solution.L.shape[1] // 50)
        return out, multipliers


@dataclass(frozen=True)
class RowValues:
    """The instances' own values of the shared rows, in the order and scale of a `NormalSystem`.

    data: (batch, nonzeros of J), or None: as they are. rhs: (batch, m), likewise.
    """

    data: np.ndarray | None = None
    rhs: np.ndarray | None = None


def solve_known_rows(
    system: NormalSystem,
    target: np.ndarray,
    members: np.ndarray,
    values: RowValues | None = None,
    *,
    lazy: LazyArrays | None = None,
    carried: list[np.ndarray] | None = None,
) -> Solved:
    """Project a batch over the rows of `system`, with the instances' own values of them where given.

    Args:
        target: (batch, n). members: (batch,) their numbers, for messages and grouping.
        lazy, carried: further rows, and which of them each instance has.

    Raises:
        SolveFailedError: a KKT residual above `ACCEPTED`.
    """
    batch, n = len(target), system.num_vars
    places = _padded(carried, batch)
    m, arrays = system.num_rows + places.shape[1], system.arrays(places.shape[1])
    size = arrays.elimination.size
    values = values or RowValues()
    rows = BatchRows(
        arrays,
        system.data[None] if values.data is None else values.data,
        system.rhs[None] if values.rhs is None else values.rhs,
        system.products[None],
        values.data is not None,
        values.rhs is not None,
        lazy or no_lazy_rows(),
        places,
    )
    solved = Solved(system, rows, members, BatchSolution.of(batch, n, m, size))
    alike = not (rows.own_data or rows.own_rhs or places.shape[1])

    def run(part: slice) -> None:
        width = fitting_lanes(n, m, size, part.stop - part.start) if alike else 0
        solve_batch(
            target[part],
            rows.part(part),
            solved.solution.part(part),
            Scratch.of(n, m),
            lanes_of(n, m, size, width),
        )

    in_parallel(run, batch, size + n)
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
            f" {residual[failed[0]]:.1e}); use solver='vertices', or scale the costs of this instance."
        )


_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


def _threads(count: int) -> ThreadPoolExecutor:
    # threads do not survive a fork: a child process starts its own
    key = (os.getpid(), count)
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(count, thread_name_prefix="diffcomb-kkt")
    return _pools[key]


def in_parallel(run, batch: int, work: int) -> None:  # type: ignore[no-untyped-def]
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
