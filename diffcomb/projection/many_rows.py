"""x_rho where thousands of lazy rows are tight: an interior point of all rows at once, then its face.

The interior point says which rows hold with equality and which variables are at a bound. Only those rows
and the variables off their bound make up the system that the exact projection and the adjoint factorise;
what was left out is checked against all rows and all reduced costs, and joins where it fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from diffcomb.program import Program, Rows
from diffcomb.projection.block_interior import BlockInterior, InteriorPoint
from diffcomb.projection.kernels.batch import ACCEPTED, BatchSolution, Scratch, polish_point
from diffcomb.projection.kernels.interior_point import Iterate
from diffcomb.projection.kernels.polish import Face
from diffcomb.projection.known_rows import Solved
from diffcomb.projection.normal_system import NormalSystem

#: complementarity at which the interior point is handed over, the next where the face was not found
_GOALS = (1e-8, 1e-10, 1e-12)
#: times that rows or variables left out may join
_ROUNDS = 20
#: a row, or a bound, is left out where slack exceeds multiplier (or the reverse) by this factor
_CLEAR = 1e3
#: for a system that is factorised once or twice: see `Elimination.analyze`
_DENSE_SHARE = 0.1


@dataclass(frozen=True)
class SolvedFace:
    """One instance, solved over `kept` variables; the others are at 0."""

    members: np.ndarray
    kept: np.ndarray
    inner: Solved
    x: np.ndarray
    residual: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """(1, 3) face dimension, tight rows, iterations."""
        return self.inner.counts

    def pull_back(self, grad: np.ndarray, backward: str) -> np.ndarray:
        """P g, by the method called `backward`."""
        out = np.zeros(grad.shape)
        out[:, self.kept] = self.inner.pull_back(np.ascontiguousarray(grad[:, self.kept]), backward)
        return out

    def tight(self, _: int | np.integer) -> np.ndarray:
        """None of the pool's: the rows are its own."""
        return np.zeros(0, dtype=np.int64)


class ManyRows:
    """All rows of a polytope at once, one instance at a time.

    Args:
        polytope: with independent equations. lazy: all its lazy rows, over the same variables.
    """

    def __init__(self, polytope: Program, lazy: Rows) -> None:
        every = sparse.csr_array(sparse.vstack([polytope.G, lazy.G], format="csr"))
        filled = np.diff(every.indptr) > 0
        self.G, self.h = sparse.csr_array(every[filled]), np.concatenate([polytope.h, lazy.h])[filled]
        self.A, self.b = polytope.A, polytope.b
        self._interior = BlockInterior(self.A, self.b, self.G, self.h)

    @property
    def work(self) -> float:
        """Sum of size^3 over the blocks of the Newton matrix."""
        return self._interior.work

    @property
    def entries(self) -> int:
        """Sum of size^2 over them."""
        return self._interior.entries

    def solve(self, target: np.ndarray, member: int) -> SolvedFace:
        """Project target (n,); a residual above `ACCEPTED` where the face was not found."""
        scale = max(1.0, float(np.abs(target).max()))
        iterations = 0
        for goal in _GOALS:
            point = self._interior.solve(-target / scale, 1.0 / scale, goal)
            iterations += point.iterations
            found = self._face(target, _Handover(scale, point, member, iterations))
            if found.residual[0] <= ACCEPTED:
                break
        return found

    def _face(self, target: np.ndarray, start: _Handover) -> SolvedFace:
        """The exact minimiser on the face that the interior point suggests, or the best try at it."""
        point, scale = start.point, start.scale
        kept = point.lower < _CLEAR * point.x
        on = _CLEAR * point.rows > point.s
        for _ in range(_ROUNDS):
            found, y_A, y_G = self._polished(target, start, kept, on)
            if not np.isfinite(found.residual[0]):
                return found
            x = found.x[0]
            reduced = x - target + self.A.T @ y_A + self.G[on].T @ y_G
            missing = ~kept & (reduced < -1e-12 * scale)
            excess = self.G @ x - self.h
            violated = ~on & (excess > 1e-11)
            if not (missing.any() or violated.any()):
                return found
            kept, on = kept | missing, on | violated
        found.residual[:] = np.inf
        return found

    def _polished(
        self, target: np.ndarray, start: _Handover, kept: np.ndarray, on: np.ndarray
    ) -> tuple[SolvedFace, np.ndarray, np.ndarray]:
        """Solve over the kept variables and the rows `on`; the multipliers of A and of those rows too."""
        point = start.point
        G = sparse.csr_array(sparse.csr_array(self.G[on])[:, kept])
        own = Program(sparse.csr_array(self.A[:, kept]), self.b, G, self.h[on], False)
        system = NormalSystem.of(own, dense_share=_DENSE_SHARE)
        n, m, p = system.num_vars, system.num_rows, len(self.b)
        slack = np.concatenate([np.zeros(p), point.s[on]])[system.source] * system.scale
        y = np.concatenate([point.equations, point.rows[on]])[system.source] / system.scale
        inside = Iterate(point.x[kept], point.t[kept], point.lower[kept], point.upper[kept], y, slack)
        solution = BatchSolution.of(1, n, m, system.elimination.size)
        face = Face(
            solution.face[0],
            solution.active[0],
            solution.x[0],
            solution.y[0],
            solution.L[0],
            solution.inverse[0],
        )
        solution.residual[0], solution.counts[0, 0], solution.counts[0, 1] = polish_point(
            target[kept], system.rows, inside, face, Scratch.of(n, m).work, start.scale
        )
        solution.counts[0, 2] = start.iterations
        x = np.zeros((1, len(target)))
        x[0, kept] = solution.x[0]
        multipliers = np.empty(m)
        multipliers[system.source] = solution.y[0] * system.scale
        solved = Solved(system, system.batch_rows, np.array([start.member]), solution)
        found = SolvedFace(solved.members, kept, solved, x, solution.residual.copy())
        return found, multipliers[:p], multipliers[p:]


class _Handover(NamedTuple):
    """An interior point of instance `member`, of the problem scaled by `scale`, after `iterations`."""

    scale: float
    point: InteriorPoint
    member: int
    iterations: int
