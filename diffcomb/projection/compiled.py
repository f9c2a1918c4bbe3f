"""The compiled interior point with an exact polish, and its adjoint: the route "compiled"."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from diffcomb.program import Program, Rows, UnitBox
from diffcomb.projection.kernels.batch import ACCEPTED
from diffcomb.projection.known_rows import RowValues, Solved, solve_known_rows
from diffcomb.projection.many_rows import ManyRows, SolvedFace
from diffcomb.projection.normal_system import NormalSystem
from diffcomb.projection.presolve import Presolved
from diffcomb.projection.projector import Projection
from diffcomb.projection.route import Route, all_rows_pay, may_take_all_rows
from diffcomb.projection.row_generation import generate_rows
from diffcomb.projection.row_pool import RowPool

_NOTHING = np.zeros(0, dtype=np.int64)


class CompiledProjector:
    """Projections in [0, 1]^n by an interior-point method with an exact polish, one instance per thread.

    Per instance: Mehrotra predictor-corrector steps on the m x m normal matrix, the face from strict
    complementarity, a projection on that face, a check of the whole KKT system. The factor of the
    face is kept: the adjoint costs two triangular solves. Lazy rows join when violated and stay for
    later calls; an instance that would carry too many of them is solved over all rows at once.

    Args:
        program: X in [0, 1]^n. Its interior, independent rows and elimination order are found once here.
        backward: "cholesky", two triangular solves with the factor the forward pass left; or "cg",
            conjugate gradients without it (the slower, matrix-free way).
        presolved: known already; None finds it.

    Raises:
        InfeasibleError: the polytope is empty.
    """

    name = "kkt"

    def __init__(
        self, program: Program, *, backward: str = "cholesky", presolved: Presolved | None = None
    ) -> None:
        self.program, self.backward = program, backward
        self.box = UnitBox.unit(program.num_vars)
        self.presolved = Presolved.of(program) if presolved is None else presolved
        self.pool = RowPool(self.presolved.polytope.num_vars)
        self.system = NormalSystem.of(self.presolved.polytope)
        self._many: ManyRows | None = None
        # the pool of lazy rows is changed by a call: one call at a time
        self._lock = threading.Lock()

    def project(self, target: Tensor, start: Tensor | None = None) -> Projection:
        # numpy from here on: its small operations cost a third of torch's
        return self._projection(self.solve(target.detach().cpu().numpy()), target)

    def project_and_solution(self, target: Tensor) -> tuple[Sequence[Solved | SolvedFace], Projection]:
        """The same, with the groups of instances that were solved together and their multipliers."""
        groups = self.solve(target.detach().cpu().numpy())
        return groups, self._projection(groups, target)

    def project_with(self, target: Tensor, rhs: np.ndarray) -> Projection:
        """The same for right-hand sides [b, h] (batch, p + q) of each instance's own, where none is lazy.

        Raises:
            SolveFailedError: an instance is infeasible, or has no interior with its own values.
        """
        own = RowValues(rhs=np.ascontiguousarray(rhs[:, self.system.source] * self.system.scale))
        inner = np.ascontiguousarray(target.detach().cpu().numpy())
        return self._projection([solve_known_rows(self.system, inner, np.arange(len(inner)), own)], target)

    def _projection(self, groups: Sequence[Solved | SolvedFace], target: Tensor) -> Projection:
        device = target.device
        if len(groups) == 1:
            (solved,) = groups
            x, residual, counts = self.presolved.full(solved.x), solved.residual, solved.counts
        else:
            x, residual = np.empty(target.shape), np.empty(len(target))
            counts = np.empty((len(target), 3), dtype=np.int64)
            for solved in groups:
                x[solved.members] = self.presolved.full(solved.x)
                residual[solved.members], counts[solved.members] = solved.residual, solved.counts

        def pull_back(grad: Tensor) -> Tensor:
            return torch.from_numpy(self._pulled(groups, grad.detach().cpu().numpy())).to(device)

        dimension, tight, iterations = torch.from_numpy(counts).to(device).unbind(1)
        return Projection(
            x=torch.from_numpy(x).to(device),
            residual=torch.from_numpy(residual).to(device),
            face_dimension=dimension,
            active_rows=tight,
            iterations=iterations,
            pull_back=pull_back,
            route=Route.COMPILED,
        )

    def solve(self, target: np.ndarray) -> Sequence[Solved | SolvedFace]:
        """target (batch, n) -> groups over the presolved coordinates, one per set of rows."""
        inner = self.presolved.inside(target)
        if not self.program.is_lazy:
            return [solve_known_rows(self.system, inner, np.arange(len(inner)))]

        def solve(members: np.ndarray, carried: list[np.ndarray]) -> Solved | SolvedFace:
            arrays = self.pool.arrays
            return solve_known_rows(self.system, inner[members], members, lazy=arrays, carried=carried)

        def take_all(member: int, carried: np.ndarray) -> SolvedFace | None:
            if member in missed or not may_take_all_rows(len(carried)):
                return None
            face = self._over_all_rows(inner[member], member, len(carried))
            if face is None:
                missed.add(member)
            return face

        missed: set[int] = set()
        everything = self.program.every_lazy_row is not None
        with self._lock:
            return generate_rows(
                len(inner),
                self.pool,
                solve,
                self._separate,
                lambda group, places: group.subset(places) if isinstance(group, Solved) else group,
                take_all if everything else None,
            )

    def _separate(self, x: np.ndarray) -> Rows:
        return self.presolved.restrict(self.program.separate(self.presolved.full(x[None])[0]))

    def _over_all_rows(self, target: np.ndarray, member: int, carried: int) -> SolvedFace | None:
        """Solved over all rows at once; None where that does not pay, or the face is not found."""
        if self._many is None:
            assert self.program.every_lazy_row is not None
            rows = self.presolved.restrict(self.program.every_lazy_row())
            self._many = ManyRows(self.presolved.polytope, rows)
        if not all_rows_pay(carried, self._many.work, self._many.entries):
            return None
        face = self._many.solve(target, member)
        return face if face.residual[0] <= ACCEPTED else None

    def _pulled(self, groups: Sequence[Solved | SolvedFace], grad: np.ndarray) -> np.ndarray:
        """P g, a new array."""
        inner = self.presolved.inside(grad)
        if len(groups) == 1:
            return self.presolved.embedded(groups[0].pull_back(inner, self.backward))
        pulled = np.empty(inner.shape)
        for solved in groups:
            pulled[solved.members] = solved.pull_back(inner[solved.members], self.backward)
        return self.presolved.embedded(pulled)
