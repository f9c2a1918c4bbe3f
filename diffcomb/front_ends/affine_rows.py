"""Rows M(p) x + s(p) whose entries are affine in p, as cvxpy's tensors hold them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from diffcomb.errors import InfeasibleError, UnsupportedError
from diffcomb.program.affine_map import AffineMap


@dataclass(frozen=True, eq=False)
class AffineRows:
    """M(p) x + s(p), row by row.

    Args:
        row, column: (nnz,) where the entries of M are, sorted by row, then by column.
        entries: p -> (nnz,). side: p -> (m,). labels: (m,).
    """

    row: np.ndarray
    column: np.ndarray
    entries: AffineMap
    side: AffineMap
    labels: tuple[str, ...]
    num_vars: int

    @staticmethod
    def of(
        place: np.ndarray, stacked: AffineMap, num_rows: int, num_vars: int, labels: tuple[str, ...]
    ) -> AffineRows:
        """From p -> the entries of [M, s] at `place` of (m (n + 1),), column by column; 0 elsewhere."""
        in_matrix = place < num_rows * num_vars
        row, column, entries = _by_row(place[in_matrix], _taken(stacked, np.flatnonzero(in_matrix)), num_rows)
        side = _scattered(
            place[~in_matrix] - num_rows * num_vars, _taken(stacked, np.flatnonzero(~in_matrix)), num_rows
        )
        return AffineRows(row, column, entries, side, labels, num_vars)

    def subset(self, rows: np.ndarray) -> AffineRows:
        """Some rows, in increasing order."""
        number = np.full(len(self.labels), -1)
        number[rows] = np.arange(len(rows))
        kept = np.flatnonzero(number[self.row] >= 0)
        return AffineRows(
            number[self.row[kept]],
            self.column[kept],
            _taken(self.entries, kept),
            _taken(self.side, rows),
            tuple(self.labels[k] for k in rows),
            self.num_vars,
        )

    def without_bounds(self, lower: np.ndarray, upper: np.ndarray, *, equal: bool = False) -> AffineRows:
        """Without rows of at most one variable and fixed data; those of one tighten lower, upper in place.

        Args:
            equal: the rows say = 0, not >= 0.

        Raises:
            InfeasibleError: a row without variables that does not hold.
            UnsupportedError: one that depends on p.
        """
        count = np.bincount(self.row, minlength=len(self.labels))
        moving = self.side.driven.copy()
        np.logical_or.at(moving, self.row, self.entries.driven)
        for k in np.flatnonzero(count == 0):
            value = self.side.constant[k]
            if moving[k]:
                raise UnsupportedError(f"{self.labels[k]} has parameters but no variable; leave it out.")
            if value < 0 or (equal and value != 0):
                raise InfeasibleError(f"{self.labels[k]} has no variables and does not hold.")
        single = (count == 1) & ~moving
        for e in np.flatnonzero(single[self.row]):
            j, slope = self.column[e], self.entries.constant[e]
            bound = -self.side.constant[self.row[e]] / slope
            if equal or slope > 0:
                lower[j] = max(lower[j], bound)
            if equal or slope < 0:
                upper[j] = min(upper[j], bound)
        return self.subset(np.flatnonzero(~single & (count > 0)))

    def matrix(self) -> tuple[sparse.csr_array, AffineMap | None]:
        """M at p = 0 with every entry that can move stored, and the map of its entries if any does."""
        return _stored(self.row, self.column, self.entries, (len(self.labels), self.num_vars))


def affine_matrix(
    place: np.ndarray, stacked: AffineMap, num_rows: int, num_vars: int
) -> tuple[sparse.csr_array, AffineMap | None]:
    """As `AffineRows.matrix`, from p -> the entries at `place` of (m n,) column by column."""
    row, column, entries = _by_row(place, stacked, num_rows)
    return _stored(row, column, entries, (num_rows, num_vars))


def _by_row(place: np.ndarray, stacked: AffineMap, num_rows: int) -> tuple[np.ndarray, np.ndarray, AffineMap]:
    """Rows, columns and maps of the entries that are not 0 for every p, sorted by row, then by column."""
    present = np.flatnonzero(stacked.driven | (stacked.constant != 0))
    row, column = place[present] % max(num_rows, 1), place[present] // max(num_rows, 1)
    order = np.lexsort((column, row))
    return row[order], column[order], _taken(stacked, present[order])


def _scattered(place: np.ndarray, some: AffineMap, count: int) -> AffineMap:
    """p -> (count,), `some` at `place` and 0 elsewhere."""
    spread = sparse.csr_array(
        (np.ones(len(place)), (place, np.arange(len(place)))), shape=(count, len(place))
    )
    return AffineMap(sparse.csr_array(spread @ some.matrix), spread @ some.constant)


def _stored(
    row: np.ndarray, column: np.ndarray, entries: AffineMap, shape: tuple[int, int]
) -> tuple[sparse.csr_array, AffineMap | None]:
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=shape[0]))])
    matrix = sparse.csr_array((entries.constant.copy(), column, start), shape=shape)
    return matrix, entries if entries.matrix.nnz else None


def _taken(affine: AffineMap, rows: np.ndarray) -> AffineMap:
    return AffineMap(sparse.csr_array(affine.matrix[rows]), affine.constant[rows])
