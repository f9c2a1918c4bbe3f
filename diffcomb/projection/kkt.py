"""solver="kkt": the compiled interior-point solver and its adjoint."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import SolveFailedError
from diffcomb.problems import Problem
from diffcomb.program import Program
from diffcomb.projection.interior import FullDimensional
from diffcomb.projection.kernels.batch import ACCEPTED
from diffcomb.projection.known_rows import Solved, solve_known_rows
from diffcomb.projection.many_rows import ManyRows, SolvedFace
from diffcomb.projection.normal_system import NormalSystem
from diffcomb.projection.relaxed import RelaxedDecision
from diffcomb.projection.row_pool import RowPool

_MAX_ROUNDS = 1000
#: rows an instance takes from the pool at once, and as many as it carries if those are more: where
#: thousands of rows are tight, rounds must not be as many
_MOST_ROWS = 20
#: and where the pool has fewer than this share of those carried, new ones are separated
_FEW = 0.2
#: an instance with fewer rows of its own is never solved over all rows at once
_MANY = 300
_NOTHING = np.zeros(0, dtype=np.int64)


class KKTSolver:
    """x_rho by an interior-point method with an exact polish, one instance per thread.

    Per instance: Mehrotra predictor-corrector steps on the m x m normal matrix, the face from strict
    complementarity, a projection on that face, a check of the whole KKT system. The factor of the
    face is kept: the adjoint costs two triangular solves. Lazy rows join when violated and stay for
    later calls; an instance that would carry too many of them is solved over all rows at once.

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
    #: whether an instance with many rows of its own may be solved over all rows at once
    _takes_all_rows = True

    def __init__(self, problem: Problem, *, backward: str = "cholesky", lazy_rows: bool = True) -> None:
        self.backward = backward
        polytope = problem.polytope()
        self._build(polytope if lazy_rows else polytope.without_lazy_rows())

    @classmethod
    def of_polytope(cls, polytope: Program) -> KKTSolver:
        """A solver for a polytope that belongs to no problem."""
        solver = cls.__new__(cls)
        solver.backward = "cholesky"
        solver._build(polytope)
        return solver

    def _build(self, polytope: Program) -> None:
        self.polytope = polytope
        self._interior = FullDimensional.of(polytope)
        self._pool = RowPool(self._interior.polytope.num_vars)
        self._system = NormalSystem.of(self._interior.polytope)
        self._many: ManyRows | None = None

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
    def _solve_lazily(self, cost: np.ndarray) -> list[Solved | SolvedFace]:
        """Solve, separate, add, re-solve those that violated a row; one group per set of rows."""
        if not self._interior.is_whole:
            cost = np.ascontiguousarray(cost[:, self._interior.kept])
        members = np.arange(len(cost))
        carried = [_NOTHING] * len(cost)
        if not self.polytope.is_lazy:
            return [self._solve_known_rows(cost, members, carried)]
        groups: list[Solved | SolvedFace] = []
        missed: set[int] = set()
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
            found = self._over_all_rows(cost, members, carried, missed)
            groups += found.values()
            stays = np.array([int(k) not in found for k in members])
            carried, members = [carried[j] for j in np.flatnonzero(stays)], members[stays]
            if not len(members):
                break
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

    def _over_all_rows(
        self, cost: np.ndarray, members: np.ndarray, carried: list[np.ndarray], missed: set[int]
    ) -> dict[int, SolvedFace]:
        """Those of the members that carry many rows; who fails joins `missed`, and goes on row by row."""
        found = {}
        for k, places in zip(members, carried, strict=True):
            many = self._takes_all_rows and len(places) >= _MANY and self.polytope.every_lazy_row is not None
            if many and int(k) not in missed and self._all_rows().pays(len(places)):
                face = self._all_rows().solve(cost[k], int(k))
                if face.residual[0] <= ACCEPTED:
                    found[int(k)] = face
                else:
                    missed.add(int(k))
        return found

    def _all_rows(self) -> ManyRows:
        if self._many is None:
            assert self.polytope.every_lazy_row is not None
            rows = self._interior.restrict(self.polytope.every_lazy_row())
            self._many = ManyRows(self._interior.polytope, rows)
        return self._many

    # -- coordinates -----------------------------------------------------------------------------
    def _full(self, x: np.ndarray) -> np.ndarray:
        if self._interior.is_whole:
            return x
        full = np.repeat(self._interior.value[None], len(x), axis=0)
        full[:, self._interior.kept] = x
        return full

    def _project(self, groups: Sequence[Solved | SolvedFace], grad: np.ndarray) -> np.ndarray:
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
