"""An interior point for many inequality rows that fall into blocks of few variables.

Where thousands of rows are tight the m x m matrix of the rows is the wrong one: here all rows take part
at once, and the Newton matrix D + G' W G of the variables is block diagonal, one dense block for each
set of variables that rows of G connect (in a colouring: the vertices, once per colour). The equations
A x = b, which join the blocks, come in by their Schur complement A (D + G' W G)^-1 A'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.linalg import lapack
from scipy.sparse.csgraph import connected_components

from diffcomb.projection.kernels.blocks import add_rows

#: rows may miss their slack by this much times the change of their multiplier: where a row is always
#: tight, multipliers have no limit, and this keeps them and the Newton matrix bounded. It moves no
#: solution, at which multipliers no longer change.
_PROXIMAL = 1e-8
#: every product of a slack and its multiplier moves towards at least this share of the target
_CENTRAL = 0.1
#: share of the way to the boundary
_DAMPING = 0.995


class InteriorPoint(NamedTuple):
    """x (n,) inside X, t = 1 - x, slacks s (q,) of G x <= h, and multipliers of bounds, A and G."""

    x: np.ndarray
    t: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    equations: np.ndarray
    rows: np.ndarray
    s: np.ndarray
    iterations: int


@dataclass(frozen=True)
class _Block:
    """Variables `columns`, the rows of G among them, and A restricted to them."""

    columns: np.ndarray
    rows: np.ndarray
    G: sparse.csr_array
    A: sparse.csr_array
    equations: np.ndarray

    @property
    def is_selection(self) -> bool:
        """Each equation has one variable of the block, with coefficient 1, in the order of both."""
        one_each = self.A.nnz == self.A.shape[0] and bool((np.diff(self.A.indices) > 0).all())
        return one_each and bool((self.A.data == 1.0).all())


class BlockInterior:
    """min g'x + q/2 ||x||^2 over {A x = b, G x <= h, 0 <= x <= 1}, by Mehrotra's method.

    Args:
        A, b, G, h: independent equations, and all inequality rows. X has a relative interior.
    """

    def __init__(self, A: sparse.csr_array, b: np.ndarray, G: sparse.csr_array, h: np.ndarray) -> None:
        self.A, self.b, self.G, self.h = A, b, G, h
        self._At, self._Gt = sparse.csr_array(A.T), sparse.csr_array(G.T)
        self._blocks = _blocks(A, G)
        #: sum of size^3: a measure of the work of one iteration
        self.work = float(sum(len(block.columns) ** 3 for block in self._blocks))
        #: of the Newton matrix
        self.entries = sum(len(block.columns) ** 2 for block in self._blocks)

    def solve(self, cost: np.ndarray, q: float, target: float, most: int = 60) -> InteriorPoint:
        """Until complementarity and residuals are below `target`, or nothing improves any more."""
        A, G, b, h = self.A, self.G, self.b, self.h
        x, t = np.full(A.shape[1], 0.5), np.full(A.shape[1], 0.5)
        y, z = np.zeros(len(b)), np.ones(len(h))
        s = np.maximum(h - G @ x, 0.1)
        slope = cost + q * x + self._Gt @ z
        lower, upper = np.maximum(slope, 0.0) + 0.5, np.maximum(-slope, 0.0) + 0.5
        pairs = 2 * len(x) + len(h)
        best, stalled, iteration = np.inf, 0, 0
        while True:
            gradient = q * x + cost + self._At @ y + self._Gt @ z
            off_A, off_G = A @ x - b, G @ x - h + s
            gap = float(x @ lower + t @ upper + s @ z)
            mu = gap / pairs
            dual = np.linalg.norm(gradient - lower + upper)
            merit = max(mu, float(dual), float(np.linalg.norm(off_A)), float(np.linalg.norm(off_G)))
            if merit <= target or iteration >= most:
                break
            best, stalled = (merit, 0) if merit < 0.9 * best else (best, stalled + 1)
            if stalled >= 8 or not np.isfinite(merit):
                break
            iteration += 1
            weight = 1.0 / (s / z + _PROXIMAL)
            newton = self._factorize(q + lower / x + upper / t, weight)
            if newton is None:
                break
            # predictor
            dx, dy = newton.solve(-gradient - self._Gt @ (weight * (off_G - s)), off_A)
            dz = weight * (off_G + G @ dx - s)
            ds = -s - s / z * dz
            dl, du = -lower - lower / x * dx, -upper + upper / t * dx
            primal = min(_longest(x, dx), _longest(t, -dx), _longest(s, ds))
            step = min(_longest(lower, dl), _longest(upper, du), _longest(z, dz))
            after = (x + primal * dx) @ (lower + step * dl) + (t - primal * dx) @ (upper + step * du)
            after += (s + primal * ds) @ (z + step * dz)
            center = max((max(float(after), 0.0) / gap) ** 3 * mu, _CENTRAL * target)
            # corrector, with the products of the predictor's steps
            add_l, add_u = (center - dx * dl) / x, (center + dx * du) / t
            extra = (center - ds * dz) / z - s
            right = -gradient + add_l - add_u - self._Gt @ (weight * (off_G + extra))
            dx, dy = newton.solve(right, off_A)
            dz = weight * (off_G + G @ dx + extra)
            ds = extra - s / z * dz
            dl, du = add_l - lower - lower / x * dx, add_u - upper + upper / t * dx
            primal = min(1.0, _DAMPING * min(_longest(x, dx), _longest(t, -dx), _longest(s, ds)))
            step = min(1.0, _DAMPING * min(_longest(lower, dl), _longest(upper, du), _longest(z, dz)))
            x, t, s = x + primal * dx, t - primal * dx, s + primal * ds
            lower, upper, y, z = lower + step * dl, upper + step * du, y + step * dy, z + step * dz
        return InteriorPoint(x, t, lower, upper, y, z, s, iteration)

    def _factorize(self, diagonal: np.ndarray, weight: np.ndarray) -> _Newton | None:
        """None where rounding has left the matrix indefinite: the point is as good as it gets."""
        factors = []
        schur = np.zeros((len(self.b), len(self.b)), order="F")
        for block in self._blocks:
            M = np.empty((len(block.columns), len(block.columns)))
            G = block.G
            add_rows(M, diagonal[block.columns], G.indptr, G.indices, G.data, weight[block.rows])
            # its transpose, in the order of columns that LAPACK wants: the upper triangle
            factor, info = lapack.dpotrf(M.T, lower=0, overwrite_a=1)
            if info != 0:
                return None
            # of symmetric matrices only the upper triangle counts from here on
            inverse, _ = lapack.dpotri(factor, lower=0)
            if not block.is_selection:
                product = block.A @ np.triu(inverse) @ block.A.T
                inverse = product + product.T - block.A @ (inverse.diagonal()[:, None] * block.A.T.toarray())
            elif len(block.equations) < len(block.columns):
                inverse = inverse[np.ix_(block.A.indices, block.A.indices)]
            if len(block.equations) == len(schur):
                schur += inverse
            else:
                schur[np.ix_(block.equations, block.equations)] += inverse
            factors.append(factor)
        schur_factor, info = lapack.dpotrf(schur, lower=0)
        return _Newton(self, factors, schur_factor) if info == 0 else None

    @property
    def blocks(self) -> list[_Block]:
        return self._blocks


class _Newton(NamedTuple):
    system: BlockInterior
    factors: list[np.ndarray]
    schur: np.ndarray

    def solve(self, right: np.ndarray, off: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """d, dy with M d + A' dy = right and A d = -off."""
        A = self.system.A
        dy = lapack.dpotrs(self.schur, A @ self._inverse_times(right) + off, lower=0)[0]
        return self._inverse_times(right - self.system._At @ dy), dy

    def _inverse_times(self, v: np.ndarray) -> np.ndarray:
        out = np.empty_like(v)
        for block, factor in zip(self.system.blocks, self.factors, strict=True):
            out[block.columns] = lapack.dpotrs(factor, v[block.columns], lower=0)[0]
        return out


def _longest(value: np.ndarray, step: np.ndarray) -> float:
    """The largest share of the step, at most 1, that keeps value >= 0."""
    return 1.0 / max(1.0, float((-step / value).max(initial=0.0)))


def _blocks(A: sparse.csr_array, G: sparse.csr_array) -> list[_Block]:
    n = G.shape[1]
    joined = sparse.block_array([[None, G.T], [G, None]])
    count, label = connected_components(joined, directed=False)
    of_column, of_row = label[:n], label[n:]
    column_order, row_order = np.argsort(of_column, kind="stable"), np.argsort(of_row, kind="stable")
    ends = np.arange(1, count)
    columns_of = np.split(column_order, np.searchsorted(of_column[column_order], ends))
    rows_of = np.split(row_order, np.searchsorted(of_row[row_order], ends))
    blocks = []
    for columns, rows in zip(columns_of, rows_of, strict=True):
        if not len(columns):
            continue
        own = sparse.csr_array(sparse.csc_array(G)[:, columns][rows]) if len(rows) else None
        own = own if own is not None else sparse.csr_array((0, len(columns)))
        own.sort_indices()
        A_own = sparse.csr_array(sparse.csc_array(A)[:, columns])
        equations = np.flatnonzero(np.diff(A_own.indptr))
        blocks.append(_Block(columns, rows, own, sparse.csr_array(A_own[equations]), equations))
    return blocks
