"""x_rho over few of the columns, the others priced out: where a solution uses a small part of them.

    J = [A; tight lazy rows],  x solves the columns C with multipliers y, and x_e = 0 for e outside C.
    x is optimal over all columns  <=>  theta_e / rho - 1/2 + (J'y)_e >= 0 for every e outside C

Columns that fail join C and the problem is solved again.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.errors import SolveFailedError
from diffcomb.problems import Problem
from diffcomb.program import Program, Rows
from diffcomb.projection.interior import FullDimensional
from diffcomb.projection.kkt import KKTSolver
from diffcomb.projection.kkt_device import DeviceKKTSolver
from diffcomb.projection.known_rows import Solved
from diffcomb.projection.many_rows import SolvedFace
from diffcomb.projection.normal_system import NormalSystem
from diffcomb.projection.relaxed import ConvexSolver, RelaxedDecision
from diffcomb.projection.row_pool import RowPool

#: largest reduced gradient that counts as zero, in the units of theta / rho
_TOLERANCE = 1e-9
_MAX_ROUNDS = 60
#: columns that may join in one round, as a share of those already in
_GROWTH = 0.5
#: standard deviation of theta / rho up to which all columns at once are faster: x is spread over many of
#: them there and few rows are tight (measured on tours of 100 to 493 cities, distances and normal costs)
_SPREAD_OUT = 2.0
#: lazy rows remembered for later instances
_MAX_KNOWN = 500


def kkt_solver(problem: Problem, *, backward: str = "cholesky", lazy_rows: bool = True) -> ConvexSolver:
    """solver="kkt": over all columns at once, or with pricing where the problem names likely columns."""
    if lazy_rows and backward == "cholesky" and problem.has_candidate_columns:
        return ColumnPricingSolver(problem)
    return DeviceKKTSolver(problem, backward=backward, lazy_rows=lazy_rows)


class ColumnPricingSolver:
    """KKTSolver on the columns that `problem.candidate_columns` names, grown until none is missing.

    Where rho is so large against the costs that most columns are used, KKTSolver on all of them.
    One instance at a time on the CPU; tensors elsewhere are copied there and back. Lazy rows found
    for one instance are tried first for the next. The adjoint is that of the last set of columns: the
    others are strictly at 0 or degenerate, where the derivative is a choice.

    Raises:
        InfeasibleError: the polytope is empty.
    """

    name = "kkt"

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._polytope = problem.polytope()
        self._by_column = sparse.csc_array(self._polytope.A)
        self._known = _KnownRows(self._polytope)
        self._complete: KKTSolver | None = None

    def solve(self, theta: Tensor, rho: Tensor) -> RelaxedDecision:
        costs = (theta.detach() / rho.detach()[:, None]).cpu()
        solved = [self._solve_one(cost) for cost in costs.double().numpy()]
        device, n = theta.device, self._polytope.num_vars
        x = torch.zeros(len(costs), n, dtype=torch.float64)
        for row, (columns, relaxed, _) in zip(x, solved, strict=True):
            row[columns] = relaxed.x[0]

        def adjoint(grad: Tensor) -> Tensor:
            inner, pulled = grad.detach().cpu(), torch.zeros(grad.shape, dtype=torch.float64)
            for g, out, (columns, relaxed, _) in zip(inner, pulled, solved, strict=True):
                out[columns] = relaxed.adjoint(g[columns][None])[0]
            return pulled.to(device) / rho.detach()[:, None]

        def joined(name: str) -> Tensor:
            return torch.cat([getattr(relaxed, name) for _, relaxed, _ in solved]).to(device)

        violation = torch.tensor([v for _, _, v in solved], dtype=torch.float64, device=device)
        return RelaxedDecision(
            x=x.to(device),
            rho=rho,
            kkt_residual=torch.maximum(joined("kkt_residual"), violation),
            face_dimension=joined("face_dimension"),
            active_rows=joined("active_rows"),
            iterations=joined("iterations"),
            adjoint=adjoint,
        )

    def _solve_one(self, cost: np.ndarray) -> tuple[Tensor, RelaxedDecision, float]:
        """The columns used, x over them for rho = 1, and the largest violation outside."""
        if cost.std() <= _SPREAD_OUT:
            if self._complete is None:
                self._complete = KKTSolver(self._problem)
            everything = torch.arange(len(cost))
            one = torch.ones(1, dtype=torch.float64)
            return everything, self._complete.solve(torch.from_numpy(cost[None]), one), 0.0
        columns = np.unique(self._problem.candidate_columns(cost))
        outside = np.ones(len(cost), dtype=bool)
        has_interior = False
        for _ in range(_MAX_ROUNDS):
            solver = _ColumnsSolver(self._polytope, columns, self._known, has_interior=has_interior)
            has_interior = solver.has_all_multipliers
            if not has_interior:
                # too few columns for an interior: the multipliers of what is fixed are not known
                columns = self._more_candidates(cost, columns)
                continue
            relaxed = solver.solve(torch.from_numpy(cost[None, columns]), torch.ones(1, dtype=torch.float64))
            reduced = cost - 0.5 + solver.pulled_multipliers()
            outside[:] = True
            outside[columns] = False
            reduced[~outside] = 0.0
            entering = np.flatnonzero(reduced < -_TOLERANCE)
            if not len(entering):
                return torch.from_numpy(columns), relaxed, float(max(0.0, -reduced.min()))
            most = max(100, int(_GROWTH * len(columns)))
            worst = entering[np.argsort(reduced[entering], kind="stable")[:most]]
            columns = np.union1d(columns, worst)
        raise SolveFailedError(f"Column pricing did not finish within {_MAX_ROUNDS} rounds; raise rho.")

    def _more_candidates(self, cost: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The cheapest columns that are still outside."""
        order = np.argsort(cost, kind="stable")
        fresh = order[~np.isin(order, columns)]
        return np.union1d(columns, fresh[: max(100, len(columns))])


class _KnownRows:
    """Lazy rows over all columns, found so far."""

    def __init__(self, polytope: Program) -> None:
        self._polytope = polytope
        self.rows = Rows.empty(polytope.num_vars)

    def violated(self, x: np.ndarray) -> Rows:
        """Those that x (n,) violates, or freshly separated ones."""
        broken = np.flatnonzero(self.rows.G @ x - self.rows.h > 2e-8)
        if len(broken):
            return Rows(sparse.csr_array(self.rows.G[broken]), self.rows.h[broken])
        found = self._polytope.separate(x)
        if len(found):
            G = sparse.csr_array(sparse.vstack([self.rows.G, found.G], format="csr"))
            newest = slice(-_MAX_KNOWN, None)
            self.rows = Rows(sparse.csr_array(G[newest]), np.concatenate([self.rows.h, found.h])[newest])
        return found


class _ColumnsSolver(KKTSolver):
    """KKTSolver over some columns of a polytope, all other variables 0; keeps the multipliers."""

    def __init__(
        self, polytope: Program, columns: np.ndarray, known: _KnownRows, *, has_interior: bool
    ) -> None:
        self.backward = "cholesky"
        self._whole, self._columns = polytope, columns
        self._known = known
        #: rows over all columns by what is left of them over these
        self._sources: dict[bytes, tuple[np.ndarray, np.ndarray, float]] = {}
        A, G = sparse.csr_array(polytope.A[:, columns]), sparse.csr_array(polytope.G[:, columns])
        separation = self._separate if polytope.is_lazy else None
        own = Program(A, polytope.b, G, polytope.h, polytope.integral, separation)
        if not has_interior:
            self._build(own)
            return
        # fewer columns had an interior and independent rows already: nothing to look for
        self.polytope = own
        self._interior = FullDimensional(own, np.ones(len(columns), dtype=bool), np.zeros(len(columns)))
        self._pool = RowPool(len(columns))
        self._system = NormalSystem.of(own)

    @property
    def has_all_multipliers(self) -> bool:
        """No coordinate is fixed and no row left out."""
        inner = self._interior.polytope
        same = len(inner.b) == len(self.polytope.b) and len(inner.h) == len(self.polytope.h)
        return self._interior.is_whole and same

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

    def _solve_lazily(self, cost: np.ndarray) -> list[Solved | SolvedFace]:
        groups = super()._solve_lazily(cost)
        (last,) = groups
        assert isinstance(last, Solved)
        self._last = last
        self._last_rows = self._pool.rows.G
        return groups

    def pulled_multipliers(self) -> np.ndarray:
        """J'y over all columns (n,), y of the one instance solved last."""
        solved, system = self._last, self._last.system
        y = np.zeros(len(self.polytope.b) + len(self.polytope.h))
        y[system.source] = solved.y[0, : system.num_rows] * system.scale
        p = len(self.polytope.b)
        pulled = self._whole.A.T @ y[:p] + self._whole.G.T @ y[p:]
        rows = self._last_rows
        for place, price in zip(solved.carried[0], solved.y[0, system.num_rows :], strict=True):
            if place < 0 or price == 0.0:
                continue
            key = rows.indices[_row(rows, place)].astype(np.int64).tobytes()
            columns, values, norm = self._sources[key]
            # pool rows have unit norm
            pulled[columns] += price / norm * values
        return pulled


def _row(G: sparse.csr_array, r: int) -> slice:
    return slice(int(G.indptr[r]), int(G.indptr[r + 1]))
