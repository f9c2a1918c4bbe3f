"""x_rho where thousands of lazy rows are tight: an interior point of all rows at once, then its face.

The interior point says which rows hold with equality and which variables are at a bound. Only those rows
and the variables off their bound make up the system that the exact projection and the adjoint factorise;
what was left out is checked against all rows and all reduced costs, and joins where it fails.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from diffcomb.program import Program, Rows
from diffcomb.projection.block_interior import BlockInterior, InteriorPoint
from diffcomb.projection.kernels.batch import ACCEPTED, Scratch, polish_point
from diffcomb.projection.kernels.interior_point import Iterate
from diffcomb.projection.kernels.rows import no_lazy_rows
from diffcomb.projection.known_rows import Solved
from diffcomb.projection.normal_system import NormalSystem

#: complementarity at which the interior point is handed over, the next where the face was not found
_TARGETS = (1e-8, 1e-10, 1e-12)
#: times that rows or variables left out may join
_ROUNDS = 20
#: a row, or a bound, is left out where slack exceeds multiplier (or the reverse) by this factor
_CLEAR = 1e3
#: largest Newton matrices, in entries: a gigabyte
_MOST_ENTRIES = 1.3e8
#: carried^3 rows by dense borders, over the rounds they take, cost as much as 1 / 6 of the blocks' work
_BREAK_EVEN = 6.0
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
        """Pi g, by the method called `backward`."""
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

    def pays(self, carried: int) -> bool:
        """Whether this is faster than `carried` rows as a border of the other solver, and fits in memory."""
        fits = self._interior.entries <= _MOST_ENTRIES
        return fits and _BREAK_EVEN * float(carried) ** 3 > self._interior.work

    def solve(self, cost: np.ndarray, member: int) -> SolvedFace:
        """For theta / rho (n,); a residual above `ACCEPTED` where the face was not found."""
        scale = max(1.0, float(np.abs(cost).max()))
        iterations = 0
        for target in _TARGETS:
            point = self._interior.solve((cost - 0.5) / scale, 1.0 / scale, target)
            iterations += point.iterations
            found = self._face(cost, scale, point, member, iterations)
            if found.residual[0] <= ACCEPTED:
                break
        return found

    def _face(
        self, cost: np.ndarray, scale: float, point: InteriorPoint, member: int, iterations: int
    ) -> SolvedFace:
        """The exact minimiser on the face that the interior point suggests, or the best try at it."""
        kept = point.lower < _CLEAR * point.x
        on = _CLEAR * point.rows > point.s
        for _ in range(_ROUNDS):
            found, y_A, y_G = self._polished(cost, scale, point, kept, on, member, iterations)
            if not np.isfinite(found.residual[0]):
                return found
            x = found.x[0]
            reduced = x + cost - 0.5 + self.A.T @ y_A + self.G[on].T @ y_G
            missing = ~kept & (reduced < -1e-12 * scale)
            excess = self.G @ x - self.h
            violated = ~on & (excess > 1e-11)
            if not (missing.any() or violated.any()):
                return found
            kept, on = kept | missing, on | violated
        found.residual[:] = np.inf
        return found

    def _polished(
        self,
        cost: np.ndarray,
        scale: float,
        point: InteriorPoint,
        kept: np.ndarray,
        on: np.ndarray,
        member: int,
        iterations: int,
    ) -> tuple[SolvedFace, np.ndarray, np.ndarray]:
        """Solve over the kept variables and the rows `on`; the multipliers of A and of those rows too."""
        G = sparse.csr_array(sparse.csr_array(self.G[on])[:, kept])
        own = Program(sparse.csr_array(self.A[:, kept]), self.b, G, self.h[on], False)
        system = NormalSystem.of(own, dense_share=_DENSE_SHARE)
        n, m, p = system.num_vars, system.num_rows, len(self.b)
        scratch = Scratch.of(n, m)
        slack = np.concatenate([np.zeros(p), point.s[on]])[system.source] * system.scale
        y = np.concatenate([point.equations, point.rows[on]])[system.source] / system.scale
        start = Iterate(point.x[kept], point.t[kept], point.lower[kept], point.upper[kept], y, slack)
        solved = Solved(
            system,
            no_lazy_rows(),
            np.array([member]),
            np.zeros((1, 0), dtype=np.int64),
            x=np.empty((1, n)),
            y=(y * scale)[None],
            face=np.empty((1, n), dtype=np.int8),
            active=np.empty((1, m), dtype=np.bool_),
            residual=np.empty(1),
            counts=np.empty((1, 3), dtype=np.int64),
            L=np.empty((1, system.elimination.size)),
            inverse=np.empty((1, m)),
            data=system.data[None],
        )
        solved.residual[0], solved.counts[0, 0], solved.counts[0, 1] = polish_point(
            start,
            0.5 - cost[kept],
            system.rows,
            solved.face[0],
            solved.active[0],
            solved.y[0],
            solved.x[0],
            scratch.work,
            solved.L[0],
            solved.inverse[0],
        )
        solved.counts[0, 2] = iterations
        x = np.zeros((1, len(cost)))
        x[0, kept] = solved.x[0]
        multipliers = np.empty(m)
        multipliers[system.source] = solved.y[0] * system.scale
        found = SolvedFace(solved.members, kept, solved, x, solved.residual.copy())
        return found, multipliers[:p], multipliers[p:]
