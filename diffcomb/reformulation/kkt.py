"""solver="kkt": the compiled interior-point solver and its adjoint."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.errors import SolveFailedError
from diffcomb.problems import Polytope, Problem
from diffcomb.reformulation.conjugate_gradient import project_by_conjugate_gradients
from diffcomb.reformulation.interior import FullDimensional
from diffcomb.reformulation.kernels.batch import (
    ACCEPTED,
    NO_ROW,
    Scratch,
    lanes_for,
    project_batch,
    solve_batch,
)
from diffcomb.reformulation.kernels.rows import LazyArrays, no_lazy_rows
from diffcomb.reformulation.normal_system import NormalSystem
from diffcomb.reformulation.relaxed import RelaxedDecision
from diffcomb.reformulation.row_pool import RowPool

#: a batch is split over threads when (batch) x (factor entries + variables) reaches this
_PARALLEL_WORK = 20_000
_MAX_ROUNDS = 1000
#: rows an instance takes from the pool at once, and as many as it carries if those are more: where
#: thousands of rows are tight, rounds must not be as many
_MOST_ROWS = 20
#: and where the pool has fewer than this share of those carried, new ones are separated
_FEW = 0.2
_NOTHING = np.zeros(0, dtype=np.int64)


class KKTSolver:
    """x_rho by an interior-point method with an exact polish, one instance per thread.

    Per instance: Mehrotra predictor-corrector steps on the m x m normal matrix, the face from strict
    complementarity, a projection on that face, a check of the whole KKT system. The factor of the
    face is kept: the adjoint costs two triangular solves. Lazy rows join when violated and stay for
    later calls.

    Args:
        problem: gives the polytope. Its interior, independent rows and elimination order are found
            once here.
        backward: "cholesky", two triangular solves with the factor the forward pass left; or "cg",
            conjugate gradients without it (the slower, matrix-free way).
        lazy_rows: False leaves out rows that would have to be separated: a larger X, an earlier stop.

    Raises:
        InfeasibleError: the polytope is empty.
    """

    name = "kkt"

    def __init__(self, problem: Problem, *, backward: str = "cholesky", lazy_rows: bool = True) -> None:
        self.backward = backward
        polytope = problem.polytope()
        self._build(polytope if lazy_rows else polytope.without_lazy_rows())

    @classmethod
    def of_polytope(cls, polytope: Polytope) -> KKTSolver:
        """A solver for a polytope that belongs to no problem."""
        solver = cls.__new__(cls)
        solver.backward = "cholesky"
        solver._build(polytope)
        return solver

    def _build(self, polytope: Polytope) -> None:
        self.polytope = polytope
        self._interior = FullDimensional.of(polytope)
        self._pool = RowPool(self._interior.polytope.num_vars)
        self._system = NormalSystem.of(self._interior.polytope)

    def solve(self, theta: Tensor, rho: Tensor) -> RelaxedDecision:
        # numpy from here on: its small operations cost a third of torch's
        weight = rho.detach().cpu().numpy()[:, None]
        cost = theta.detach().cpu().numpy() / weight
        groups = self._solve_lazily(np.ascontiguousarray(cost))
        if len(groups) == 1:
            (solved,) = groups
            x, residual, counts = self._full(solved.x), solved.residual, solved.counts
        else:
            x, residual = np.empty_like(cost), np.empty(len(cost))
            counts = np.empty((len(cost), 3), dtype=np.int64)
            for solved in groups:
                x[solved.members] = self._full(solved.x)
                residual[solved.members], counts[solved.members] = solved.residual, solved.counts
        device = theta.device

        def adjoint(grad: Tensor) -> Tensor:
            pulled = self._project(groups, grad.detach().cpu().numpy())
            pulled /= -weight
            return torch.from_numpy(pulled).to(device)

        dimension, tight, iterations = torch.from_numpy(counts).to(device).unbind(1)
        return RelaxedDecision(
            x=torch.from_numpy(x).to(device),
            rho=rho,
            kkt_residual=torch.from_numpy(residual).to(device),
            face_dimension=dimension,
            active_rows=tight,
            iterations=iterations,
            adjoint=adjoint,
        )

    # -- lazy rows ------------------------------------------------------------------------------
    def _solve_lazily(self, cost: np.ndarray) -> list[Solved]:
        """Solve, separate, add, re-solve those that violated a row; one group per set of rows."""
        if not self._interior.is_whole:
            cost = np.ascontiguousarray(cost[:, self._interior.kept])
        members = np.arange(len(cost))
        carried = [_NOTHING] * len(cost)
        if not self.polytope.is_lazy:
            return [self._solve_known_rows(cost, members, carried)]
        groups: list[Solved] = []
        for _ in range(_MAX_ROUNDS):
            solved = self._solve_known_rows(cost[members], members, carried)
            wanted = self._violated(solved.x, carried)
            violated = np.array([len(places) > 0 for places in wanted])
            if not violated.any():
                groups.append(solved)
                break
            if not violated.all():
                groups.append(solved.subset(np.flatnonzero(~violated)))
            if any(np.isin(wanted[k], carried[k]).all() for k in np.flatnonzero(violated)):
                raise SolveFailedError(
                    "Separation returned rows that the point satisfies already; its tolerance must"
                    " be larger than 1e-10."
                )
            # rows that have become slack are left behind: the minimum only rises, so nothing repeats
            carried = [np.union1d(solved.tight(k), wanted[k]) for k in np.flatnonzero(violated)]
            members = members[violated]
        else:
            raise SolveFailedError(f"Separation did not finish within {_MAX_ROUNDS} rounds.")
        tight = [solved.tight(k) for solved in groups for k in range(len(solved.members))]
        self._pool.purge(np.unique(np.concatenate(tight)))
        return groups

    def _violated(self, x: np.ndarray, carried: list[np.ndarray]) -> list[np.ndarray]:
        """Per x, places of violated lazy rows: from the pool, and by separation where it has few."""
        wanted = self._pool.violated(x, [max(_MOST_ROWS, len(places)) for places in carried])
        few = [k for k, places in enumerate(wanted) if len(places) <= _FEW * len(carried[k])]
        if few:
            for k, full in zip(few, self._full(x[few]), strict=True):
                rows = self.polytope.separate(full)
                if len(rows):
                    wanted[k] = np.union1d(wanted[k], self._pool.add(self._interior.restrict(rows)))
        return wanted

    def _solve_known_rows(self, cost: np.ndarray, members: np.ndarray, carried: list[np.ndarray]) -> Solved:
        """Solve with the pool's rows `carried` by each instance."""
        return solve_known_rows(self._system, cost, members, lazy=self._pool.arrays, carried=carried)

    # -- coordinates -----------------------------------------------------------------------------
    def _full(self, x: np.ndarray) -> np.ndarray:
        if self._interior.is_whole:
            return x
        full = np.repeat(self._interior.value[None], len(x), axis=0)
        full[:, self._interior.kept] = x
        return full

    def _project(self, groups: list[Solved], grad: np.ndarray) -> np.ndarray:
        """Pi g, a new array."""
        whole, kept = self._interior.is_whole, self._interior.kept
        if len(groups) == 1 and whole:
            return groups[0].pull_back(np.ascontiguousarray(grad), self.backward)
        inner = grad if whole else grad[:, kept]
        if len(groups) == 1:
            pulled = groups[0].pull_back(np.ascontiguousarray(inner), self.backward)
        else:
            pulled = np.empty(inner.shape)
            for solved in groups:
                pulled[solved.members] = solved.pull_back(inner[solved.members], self.backward)
        if whole:
            return pulled
        out = np.zeros(grad.shape)
        out[:, kept] = pulled
        return out


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
