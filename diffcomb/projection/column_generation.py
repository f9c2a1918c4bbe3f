"""Projection over few of the columns, the others priced out: where a solution uses a small part of them.

    J = [A; tight lazy rows],  x solves the columns C with multipliers y, and x_e = 0 for e outside C.
    x is optimal over all columns  <=>  (J'y)_e - t_e >= 0 for every e outside C, t the target

Columns that fail join C and the projection is done again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.errors import SolveFailedError
from diffcomb.program import Program, Rows, UnitBox
from diffcomb.projection.compiled import CompiledProjector
from diffcomb.projection.known_rows import Solved
from diffcomb.projection.presolve import Presolved
from diffcomb.projection.projector import Projection
from diffcomb.projection.route import Route, prices_columns

#: largest reduced gradient that counts as zero, in unit coordinates
_TOLERANCE = 1e-9
_MAX_ROUNDS = 60
#: columns that may join in one round, as a share of those already in
_GROWTH = 0.5
#: lazy rows remembered for later instances
_MAX_KNOWN = 500


@dataclass(frozen=True)
class _Priced:
    """One instance: the columns used, its projection over them, and the largest violation outside."""

    columns: Tensor
    projection: Projection
    violation: float


class ColumnProjector:
    """CompiledProjector on the columns that `candidates` names, grown until none is missing.

    Where the targets are so little spread that most columns are used, CompiledProjector on all of them.
    One instance at a time on the CPU; tensors elsewhere are copied there and back. Lazy rows found
    for one instance are tried first for the next. The pull-back is that of the last set of columns: the
    others are strictly at 0 or degenerate, where the derivative is a choice.

    Args:
        program: X in [0, 1]^n.
        candidates: costs (n,) -> columns a solution is likely to use; the other variables may be 0.

    Raises:
        InfeasibleError: the polytope is empty.
    """

    name = "kkt"

    def __init__(self, program: Program, candidates: Callable[[np.ndarray], np.ndarray]) -> None:
        self.program, self.candidates = program, candidates
        self.box = UnitBox.unit(program.num_vars)
        self._known = _KnownRows(program)
        self._complete: CompiledProjector | None = None
        self._lock = threading.Lock()

    def project(self, target: Tensor, start: Tensor | None = None) -> Projection:
        with self._lock:
            solved = [self._project_one(t) for t in target.detach().cpu().numpy()]
        device, x = target.device, torch.zeros(target.shape, dtype=torch.float64)
        for row, one in zip(x, solved, strict=True):
            row[one.columns] = one.projection.x[0]

        def pull_back(grad: Tensor) -> Tensor:
            inner, pulled = grad.detach().cpu(), torch.zeros(grad.shape, dtype=torch.float64)
            for g, out, one in zip(inner, pulled, solved, strict=True):
                out[one.columns] = one.projection.pull_back(g[one.columns][None])[0]
            return pulled.to(device)

        def joined(name: str) -> Tensor:
            return torch.cat([getattr(one.projection, name) for one in solved]).to(device)

        violation = torch.tensor([one.violation for one in solved], dtype=torch.float64, device=device)
        return Projection(
            x=x.to(device),
            residual=torch.maximum(joined("residual"), violation),
            face_dimension=joined("face_dimension"),
            active_rows=joined("active_rows"),
            iterations=joined("iterations"),
            pull_back=pull_back,
            route=Route.COLUMNS,
        )

    def _project_one(self, target: np.ndarray) -> _Priced:
        if not prices_columns(float(target.std())):
            if self._complete is None:
                self._complete = CompiledProjector(self.program)
            everything = torch.arange(len(target))
            return _Priced(everything, self._complete.project(torch.from_numpy(target[None])), 0.0)
        columns = np.unique(self.candidates(-target))
        outside = np.ones(len(target), dtype=bool)
        has_interior = False
        for _ in range(_MAX_ROUNDS):
            over = _OverColumns(self.program, columns, self._known, has_interior=has_interior)
            has_interior = over.has_all_multipliers
            if not has_interior:
                # too few columns for an interior: the multipliers of what is fixed are not known
                columns = _more_candidates(target, columns)
                continue
            projection, pulled = over.project(target)
            reduced = pulled - target
            outside[:] = True
            outside[columns] = False
            reduced[~outside] = 0.0
            entering = np.flatnonzero(reduced < -_TOLERANCE)
            if not len(entering):
                return _Priced(torch.from_numpy(columns), projection, float(max(0.0, -reduced.min())))
            most = max(100, int(_GROWTH * len(columns)))
            worst = entering[np.argsort(reduced[entering], kind="stable")[:most]]
            columns = np.union1d(columns, worst)
        raise SolveFailedError(f"Column pricing did not finish within {_MAX_ROUNDS} rounds; raise rho.")


def _more_candidates(target: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The cheapest columns that are still outside join."""
    order = np.argsort(-target, kind="stable")
    fresh = order[~np.isin(order, columns)]
    return np.union1d(columns, fresh[: max(100, len(columns))])


class _KnownRows:
    """Lazy rows over all columns, found so far."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.rows = Rows.empty(program.num_vars)

    def violated(self, x: np.ndarray) -> Rows:
        """Those that x (n,) violates, or freshly separated ones."""
        broken = np.flatnonzero(self.rows.G @ x - self.rows.h > 2e-8)
        if len(broken):
            return Rows(sparse.csr_array(self.rows.G[broken]), self.rows.h[broken])
        found = self._program.separate(x)
        if len(found):
            G = sparse.csr_array(sparse.vstack([self.rows.G, found.G], format="csr"))
            newest = slice(-_MAX_KNOWN, None)
            self.rows = Rows(sparse.csr_array(G[newest]), np.concatenate([self.rows.h, found.h])[newest])
        return found


class _OverColumns:
    """A program over some of its columns, all other variables 0, with the multipliers of its rows."""

    def __init__(
        self, program: Program, columns: np.ndarray, known: _KnownRows, *, has_interior: bool
    ) -> None:
        self._whole, self._columns, self._known = program, columns, known
        #: rows over all columns by what is left of them over these
        self._sources: dict[bytes, tuple[np.ndarray, np.ndarray, float]] = {}
        A, G = sparse.csr_array(program.A[:, columns]), sparse.csr_array(program.G[:, columns])
        separation = self._separate if program.is_lazy else None
        own = Program(A, program.b, G, program.h, program.integral, separation)
        # fewer columns had an interior and independent rows already: nothing to look for
        presolved = Presolved.whole(own) if has_interior else None
        self._projector = CompiledProjector(own, presolved=presolved)

    @property
    def has_all_multipliers(self) -> bool:
        """No coordinate is fixed and no row left out."""
        return self._projector.presolved.keeps_rows_of(self._projector.program)

    def _separate(self, x: np.ndarray) -> Rows:
        full = np.zeros(self._whole.num_vars)
        full[self._columns] = x
        rows = self._known.violated(full)
        G = sparse.csr_array(rows.G[:, self._columns])
        G.sort_indices()
        indices = G.indices.astype(np.int64)
        for r in range(len(rows)):
            whole = _row(rows.G, r)
            source = (rows.G.indices[whole], rows.G.data[whole], float(np.linalg.norm(G.data[_row(G, r)])))
            self._sources.setdefault(indices[_row(G, r)].tobytes(), source)
        return Rows(G, rows.h)

    def project(self, target: np.ndarray) -> tuple[Projection, np.ndarray]:
        """The projection of target (n,) over the columns, and J'y over all of them (n,)."""
        inner = torch.from_numpy(target[None, self._columns])
        (solved,), projection = self._projector.project_and_solution(inner)
        assert isinstance(solved, Solved)
        return projection, self._pulled_multipliers(solved)

    def _pulled_multipliers(self, solved: Solved) -> np.ndarray:
        system, program = solved.system, self._projector.program
        found = solved.solution.y[0]
        y = np.zeros(len(program.b) + len(program.h))
        y[system.source] = found[: system.num_rows] * system.scale
        p = len(program.b)
        pulled = self._whole.A.T @ y[:p] + self._whole.G.T @ y[p:]
        rows = self._projector.pool.rows.G
        for place, price in zip(solved.rows.carried[0], found[system.num_rows :], strict=True):
            if place < 0 or price == 0.0:
                continue
            key = rows.indices[_row(rows, place)].astype(np.int64).tobytes()
            columns, values, norm = self._sources[key]
            # pool rows have unit norm
            pulled[columns] += price / norm * values
        return np.asarray(pulled)


def _row(G: sparse.csr_array, r: int) -> slice:
    return slice(int(G.indptr[r]), int(G.indptr[r + 1]))
