"""The rows J of a polytope, prepared once for thousands of solves: J W J' and its elimination."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import sparse

from diffcomb.program import Program
from diffcomb.projection.kernels.batch import BatchRows
from diffcomb.projection.kernels.ldl import DENSE_SHARE, Elimination
from diffcomb.projection.kernels.rows import InstanceRows, SystemArrays, no_lazy_rows

_EMPTY = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class NormalSystem:
    """J = [A; G] in elimination order with rows of unit norm, and the recipe of J W J', W diagonal.

    Entry e of the lower triangle of J W J' sits at flat position `entry_position[e]` and is the sum
    over c in entry_start[e] : entry_start[e + 1] of J[left[c]] J[right[c]] W[column_of[c]], where
    left and right index the nonzeros of J.

    Attributes:
        num_vars, num_rows: n and m.
        start, row_of, data: J by columns (CSC); row indices in elimination order.
        rhs: (m,) right-hand sides in elimination order, scaled like the rows.
        is_inequality: (m,) rows of G.
        scale: (m,) 1 / norm of the original row.
        source: (m,) original row, A's first and then G's.
        elimination: symbolic factorisation.
        diagonal: (m,) flat position of each diagonal entry.
    """

    num_vars: int
    num_rows: int
    start: np.ndarray
    row_of: np.ndarray
    data: np.ndarray
    rhs: np.ndarray
    is_inequality: np.ndarray
    scale: np.ndarray
    source: np.ndarray
    elimination: Elimination
    entry_position: np.ndarray
    entry_rows: np.ndarray
    entry_start: np.ndarray
    left: np.ndarray
    right: np.ndarray
    column_of: np.ndarray
    diagonal: np.ndarray
    _arrays: dict[int, SystemArrays] = field(default_factory=dict, compare=False)

    @staticmethod
    def of(polytope: Program, dense_share: float = DENSE_SHARE) -> NormalSystem:
        """Scale, order and analyse the rows of `polytope`; dense_share as in `Elimination.analyze`."""
        num_equalities, n = polytope.A.shape
        J = sparse.csr_array(sparse.vstack([polytope.A, polytope.G], format="csr"))
        J.sum_duplicates()
        m = J.shape[0]
        norms = np.sqrt(np.asarray(J.multiply(J).sum(axis=1)).reshape(m))
        scale = 1.0 / np.where(norms > 0, norms, 1.0)
        pattern = sparse.csr_array((np.ones(len(J.data)), J.indices, J.indptr), shape=J.shape)
        elimination = Elimination.analyze(pattern @ pattern.T + sparse.eye_array(m), dense_share)
        order = elimination.order
        rank = np.empty(m, dtype=np.int64)
        rank[order] = np.arange(m)
        J = sparse.csc_array(sparse.diags_array(scale[order]) @ J[order]) if m else sparse.csc_array(J)
        J.sort_indices()
        rhs = np.concatenate([polytope.b, polytope.h]) * scale
        left, right, column_of = _products(J.indptr.astype(np.int64))
        rows = J.indices.astype(np.int64)
        position = elimination.position(rows[left], rows[right])
        by_entry = np.argsort(position, kind="stable")
        left, right, column_of, position = (v[by_entry] for v in (left, right, column_of, position))
        entry_position, first = np.unique(position, return_index=True)
        everything = np.arange(m)
        return NormalSystem(
            num_vars=n,
            num_rows=m,
            start=J.indptr.astype(np.int64),
            row_of=rows,
            data=J.data.astype(np.float64),
            rhs=rhs[order],
            is_inequality=(order >= num_equalities),
            scale=scale[order],
            source=order,
            elimination=elimination,
            entry_position=entry_position,
            entry_rows=np.stack([rows[left[first]], rows[right[first]]], axis=1),
            entry_start=np.concatenate([first, [len(left)]]).astype(np.int64),
            left=left,
            right=right,
            column_of=column_of,
            diagonal=elimination.position(everything, everything),
        )

    def arrays(self, border: int = 0) -> SystemArrays:
        """For instances with up to `border` lazy rows below the shared ones."""
        if border not in self._arrays:
            elimination, lazy = self.elimination.arrays(border), np.arange(border)
            diagonal = self.elimination.size + lazy * elimination.stride + self.num_rows + lazy
            # unsigned indices need no check for negative ones
            self._arrays[border] = SystemArrays(
                self.start.astype(np.uint64),
                self.row_of.astype(np.uint32),
                np.concatenate([self.is_inequality, np.ones(border, dtype=np.bool_)]),
                self.entry_position.astype(np.uint32),
                self.entry_rows.astype(np.uint32),
                self.entry_start.astype(np.uint64),
                self.left.astype(np.uint32),
                self.right.astype(np.uint32),
                self.column_of.astype(np.uint32),
                np.concatenate([self.diagonal, diagonal]).astype(np.uint32),
                elimination,
            )
        return self._arrays[border]

    @cached_property
    def rows(self) -> InstanceRows:
        """The shared rows alone, as an instance without lazy ones has them."""
        none = np.zeros(0, dtype=np.int64)
        return InstanceRows(self.arrays(), self.data, self.products, no_lazy_rows(), none, self.rhs)

    @cached_property
    def batch_rows(self) -> BatchRows:
        """The shared rows alone, as a batch without lazy ones has them."""
        none = np.zeros((1, 0), dtype=np.int64)
        data, rhs, products = self.data[None], self.rhs[None], self.products[None]
        return BatchRows(self.arrays(), data, rhs, products, False, False, no_lazy_rows(), none)

    @cached_property
    def products(self) -> np.ndarray:
        """J[left] J[right], the coefficients of J W J'."""
        return self.data[self.left] * self.data[self.right]

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """J (m, n) as a scipy matrix."""
        shape = (self.num_rows, self.num_vars)
        return sparse.csr_array(sparse.csc_array((self.data, self.row_of, self.start), shape=shape))


def _products(indptr: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs (left, right) of nonzeros that share a column, left at or below right, and that column."""
    counts = np.diff(indptr)
    lefts, rights, columns = [_EMPTY], [_EMPTY], [_EMPTY]
    for count in np.unique(counts[counts > 0]):
        members = np.flatnonzero(counts == count)
        i, j = np.tril_indices(count)
        lefts.append((indptr[members][:, None] + i).ravel())
        rights.append((indptr[members][:, None] + j).ravel())
        columns.append(np.repeat(members, len(i)))
    return tuple(np.concatenate(v).astype(np.int64) for v in (lefts, rights, columns))  # type: ignore[return-value]
