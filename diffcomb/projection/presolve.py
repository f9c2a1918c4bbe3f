"""The relative interior of a polytope, found once: which coordinates are fixed, which rows always tight.

An interior-point method needs room. A node that no path uses fixes its arcs at 0, a forced edge sits
at 1, a pair of opposite inequalities is an equation: none of them leaves any, so they are taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import highspy
import numpy as np
from scipy import sparse

from diffcomb.errors import InfeasibleError, SolveFailedError
from diffcomb.program import Program, Rows
from diffcomb.projection.kernels.batch import central_point
from diffcomb.projection.kernels.ldl import factorize
from diffcomb.projection.kernels.polish import RANK_TOLERANCE, Face, face_matrix
from diffcomb.projection.normal_system import NormalSystem
from diffcomb.quiet_highs import QuietHighs


@dataclass(frozen=True)
class Presolved:
    """X written as {x : x[fixed] = value, x[kept] in an X' with 0 < x' < 1 and slack for every row}.

    Attributes:
        polytope: X' over the kept coordinates: independent equations, no implied ones among G.
        kept: (n,) bool. value: (n,) fixed values, 0 where kept.
    """

    polytope: Program
    kept: np.ndarray
    value: np.ndarray

    @cached_property
    def is_whole(self) -> bool:
        """True when no coordinate is fixed."""
        return bool(self.kept.all())

    def keeps_rows_of(self, polytope: Program) -> bool:
        """Nothing was taken out, so that other right-hand sides can take the place of b and h."""
        same = len(self.polytope.b) == len(polytope.b) and len(self.polytope.h) == len(polytope.h)
        return self.is_whole and same

    def inside(self, values: np.ndarray) -> np.ndarray:
        """The kept coordinates of values (..., n): targets and gradients on their way in."""
        return np.ascontiguousarray(values if self.is_whole else values[..., self.kept])

    def full(self, x: np.ndarray) -> np.ndarray:
        """x (batch, kept) with the fixed coordinates at their values."""
        if self.is_whole:
            return x
        out = np.repeat(self.value[None], len(x), axis=0)
        out[:, self.kept] = x
        return out

    def embedded(self, directions: np.ndarray) -> np.ndarray:
        """Directions (batch, kept), 0 along the fixed coordinates."""
        if self.is_whole:
            return directions
        out = np.zeros((len(directions), len(self.kept)))
        out[:, self.kept] = directions
        return out

    def restrict(self, rows: Rows) -> Rows:
        """Rows over all coordinates, rewritten for the kept ones."""
        if self.is_whole:
            return rows
        return Rows(sparse.csr_array(rows.G[:, self.kept]), rows.h - rows.G @ self.value)

    @staticmethod
    def whole(polytope: Program) -> Presolved:
        """Of a polytope known to have an interior and independent equations."""
        n = polytope.num_vars
        return Presolved(polytope, np.ones(n, dtype=bool), np.zeros(n))

    @staticmethod
    def of(polytope: Program) -> Presolved:
        """Find it, for a polytope in [0, 1]^n; coordinates with the box [0, 0] are fixed too.

        Raises:
            InfeasibleError: X is empty.
        """
        n = polytope.num_vars
        wide = polytope.upper > 0
        kept, value = np.ones(n, dtype=bool), np.zeros(n)
        system = NormalSystem.of(polytope)
        x, t, s, residual = central_point(system.rows)
        smallest = min(x.min(initial=1), t.min(initial=1), s[system.is_inequality].min(initial=1))
        A, b, G, h = polytope.A, polytope.b, polytope.G, polytope.h
        if not (residual < 1e-8 and smallest > 1e-6):
            at_zero, at_one, tight = _always_tight(polytope)
            kept, value = ~(at_zero | at_one), at_one.astype(np.float64)
            A, b = sparse.csr_array(sparse.vstack([A, G[tight]])), np.concatenate([b, h[tight]])
            G, h = sparse.csr_array(G[~tight]), h[~tight]
            b, h = b - A @ value, h - G @ value
        kept = kept & wide
        if not kept.all():
            A, G = sparse.csr_array(A[:, kept]), sparse.csr_array(G[:, kept])
        independent = _independent(A)
        reduced = Program(sparse.csr_array(A[independent]), b[independent], G, h, polytope.integral)
        return Presolved(reduced, kept, value)


def _independent(A: sparse.csr_array) -> np.ndarray:
    """Indices of a largest set of independent rows."""
    n = A.shape[1]
    empty = Rows.empty(n)
    system = NormalSystem.of(Program(A, np.zeros(A.shape[0]), empty.G, empty.h, False))
    m = system.num_rows
    face, scratch = Face.of(n, m, system.elimination.size), np.empty((2, n))
    face_matrix(face, system.rows, *scratch)
    factorize(face.L, face.inverse, np.empty(m), RANK_TOLERANCE, system.arrays().elimination, m)
    return np.sort(system.source[face.inverse > 0])


def _always_tight(polytope: Program) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates always 0, always 1, and rows of G always tight, from one linear program.

    max sum u over 0 <= u <= 1, (x, alpha - x, alpha h - G x) >= u, A x = alpha b, alpha >= 1: the
    scaling alpha lets every slack that can be positive reach 1 (Freund, Roundy & Todd 1985).

    Raises:
        InfeasibleError: X is empty.
    """
    n, q, p = polytope.num_vars, len(polytope.h), len(polytope.b)
    identity, alpha = sparse.eye_array(n), sparse.csr_array(np.ones((n, 1)))
    rows = sparse.block_array(
        [
            [polytope.A, sparse.csr_array(-polytope.b[:, None]), None, None, None],
            [identity, None, -identity, None, None],
            [-identity, alpha, None, -identity, None],
            [-polytope.G, sparse.csr_array(polytope.h[:, None]), None, None, -sparse.eye_array(q)],
        ]
        if q
        else [
            [polytope.A, sparse.csr_array(-polytope.b[:, None]), None, None],
            [identity, None, -identity, None],
            [-identity, alpha, None, -identity],
        ],
        format="csc",
    )
    lp = highspy.HighsLp()
    slacks = 2 * n + q
    lp.num_col_, lp.num_row_ = n + 1 + slacks, p + slacks
    lp.col_cost_ = np.concatenate([np.zeros(n + 1), -np.ones(slacks)])
    lp.col_lower_ = np.concatenate([np.zeros(n), [1.0], np.zeros(slacks)])
    lp.col_upper_ = np.concatenate([np.full(n + 1, np.inf), np.ones(slacks)])
    lp.row_lower_ = np.zeros(p + slacks)
    lp.row_upper_ = np.concatenate([np.zeros(p), np.full(slacks, np.inf)])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = rows.indptr, rows.indices, rows.data
    highs = QuietHighs()
    highs.setOptionValue("primal_feasibility_tolerance", 1e-9)
    highs.passModel(lp)
    highs.run()
    status = highs.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        raise InfeasibleError("The program is empty: no x within its bounds satisfies A x = b and G x <= h.")
    if status != highspy.HighsModelStatus.kOptimal:
        raise SolveFailedError(
            f"HiGHS could not find the interior of the polytope ({highs.modelStatusToString(status)});"
            " check the scale of A, b, G and h."
        )
    u = np.asarray(highs.getSolution().col_value)[n + 1 :]
    positive = u > 0.5
    return ~positive[:n], ~positive[n : 2 * n], ~positive[2 * n :]
