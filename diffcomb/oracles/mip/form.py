"""A program in the units a solver's absolute tolerances are made for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from diffcomb.program import Program, Rows
from diffcomb.program.units import row_units

#: a whole number of a row is at least this much in the solver's units, against tolerances of 1e-9
_LEAST_STEP = 2.0**-16
#: and the largest entry of a row at most this
_LARGEST_ENTRY = 2.0**13
#: continuous columns range over at most this
_LARGEST_RANGE = 2.0**13


@dataclass(frozen=True)
class Form:
    """min c'S y over low <= M y <= up, lower <= y <= upper, some y whole; x = S y.

    S, powers of two, is 1 for whole columns and brings continuous ones to a range in [1, 8192] where it is
    outside. Rows are multiplied by powers of two: the largest entry is in [1, 2), more where the steps of a
    row of whole numbers would drown in a tolerance. Powers of two change no digit.

    Attributes:
        steps: (m,) size of 1 in a row of whole numbers; 0 in others.
        num_equal: the first rows are equalities.
        is_linear: every vertex of the relaxation is whole where it must be, so no search is needed.
    """

    program: Program
    matrix: sparse.csr_array
    scale: np.ndarray
    steps: np.ndarray
    columns: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    is_linear: bool

    @staticmethod
    def of(program: Program, *, is_linear: bool = False) -> Form:
        known = program.membership
        columns = np.where(program.integer, 1.0, column_scale(program.upper - program.lower))
        matrix, scale, steps = _scaled(known.matrix, known.units, columns)
        return Form(
            program,
            matrix,
            scale,
            steps,
            columns,
            program.lower / columns,
            program.upper / columns,
            is_linear,
        )

    @property
    def num_columns(self) -> int:
        return len(self.columns)

    @property
    def num_equal(self) -> int:
        return len(self.program.b)

    def sides(self, b: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """low, up (m,) of the rows for these right-hand sides; None: an equality cannot hold."""
        up = self.program.membership.whole_sides(np.concatenate([b, h])) * self.scale
        if np.isnan(up).any():
            return None
        low = up.copy()
        low[self.num_equal :] = -np.inf
        return low, up

    def further(self, rows: Rows) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
        """Rows over the first columns of x, found later: M, up, steps."""
        width = rows.G.shape[1]
        units = row_units(rows.G, self.program.integer[:width])
        matrix, scale, steps = _scaled(rows.G, units, self.columns[:width])
        wide = sparse.csr_array((matrix.data, matrix.indices, matrix.indptr), (len(rows), self.num_columns))
        up = rows.h / np.where(units > 0, units, 1.0)
        near = np.round(up)
        whole = np.where(np.abs(up - near) <= 1e-9 * np.maximum(1.0, np.abs(up)), near, np.floor(up))
        return wide, np.where(units > 0, whole, up) * scale, steps

    def costs(self, cost: np.ndarray) -> np.ndarray:
        """Costs of x, for the first columns -> costs of y."""
        if len(cost) < self.num_columns:
            cost = np.concatenate([cost, np.zeros(self.num_columns - len(cost))])
        return cost * self.columns


def column_scale(width: np.ndarray) -> np.ndarray:
    """S of continuous columns that range over `width`."""
    usual = np.clip(width, 1.0, _LARGEST_RANGE)
    return _power_of_two(np.where(width > 0, width / usual, 1.0))


def _power_of_two(size: np.ndarray) -> np.ndarray:
    """The largest power of two that is not above."""
    return np.exp2(np.floor(np.log2(size)))


def _scaled(
    M: sparse.csr_array, units: np.ndarray, columns: np.ndarray
) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """M in solver's units, the factor of each row's right-hand side in its own unit, and the steps."""
    counts = np.diff(M.indptr)
    data = M.data * columns[M.indices] / np.repeat(np.where(units > 0, units, 1.0), counts)
    data = np.where(np.repeat(units > 0, counts), np.round(data), data)
    top = (
        np.maximum(np.maximum.reduceat(np.r_[np.abs(data), 0.0], M.indptr[:-1]), 0.0)
        if len(units)
        else counts
    )
    top = np.where((counts > 0) & (top > 0), top, 1.0)
    scale = 1.0 / _power_of_two(top)
    finer = np.clip(_LEAST_STEP / scale, 1.0, _LARGEST_ENTRY)
    scale = np.where(units > 0, scale * _power_of_two(finer), scale)
    scaled = sparse.csr_array((data * np.repeat(scale, counts), M.indices, M.indptr), shape=M.shape)
    return scaled, scale, np.where(units > 0, scale, 0.0)
