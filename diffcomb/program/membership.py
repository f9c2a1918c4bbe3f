"""Is a point in Z? Whole numbers are compared exactly, in any unit; others to the rounding of their input."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from diffcomb.program.units import row_units, whole_numbers

if TYPE_CHECKING:
    from diffcomb.program.program import Program

#: of |M| |x| + |right-hand side|: what decimals such as 0.1 + 0.2 <= 0.3 lose, far below any weight
_ROUNDING = 2.0**-43
#: the same where continuous coordinates are solved for, per unit of what they range over
_CONTINUOUS = 1e-9
#: how far from a whole number an integer coordinate may be
_WHOLE = 1e-6


class Membership:
    """The rows of a program, equalities first, as exact as they can be compared.

    A row over integer coordinates alone whose entries are whole multiples of a unit u (`row_units`) holds
    when their sum in whole numbers does: sum of (M_ij / u) x_j <= floor(h_i / u). Other rows hold within a
    relative 2^-43, rows with continuous coordinates within 1e-9 of the size of their terms.

    Args:
        program: whose A, G, bounds and integrality are kept; b and h may be passed anew to `violated`.
    """

    def __init__(self, program: Program) -> None:
        self.matrix = sparse.csr_array(sparse.vstack([program.A, program.G], format="csr"))
        self.num_equal = len(program.b)
        self.rhs = np.concatenate([program.b, program.h])
        self.lower, self.upper, self.integer = program.lower, program.upper, program.integer
        self.units = row_units(self.matrix, self.integer)

    @cached_property
    def _whole_matrix(self) -> sparse.csr_array:
        """M_ij / u_i rounded; rows without a unit as they are."""
        counts = np.diff(self.matrix.indptr)
        units = np.repeat(np.where(self.units > 0, self.units, 1.0), counts)
        data = self.matrix.data / units
        data = np.where(np.repeat(self.units > 0, counts), np.round(data), data)
        return sparse.csr_array((data, self.matrix.indices, self.matrix.indptr), shape=self.matrix.shape)

    @cached_property
    def _sizes(self) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
        """|M|, |M| times the range of continuous coordinates up to 1, and a tolerance for each row."""
        absolute = abs(self._whole_matrix)
        spread = np.where(self.integer, 0.0, np.minimum(self.upper - self.lower, 1.0))
        continuous = (absolute @ np.where(self.integer, 0.0, 1.0)) > 0
        counts = np.diff(self.matrix.indptr)
        tolerance = np.where(continuous, _CONTINUOUS, _ROUNDING + counts * 2.0**-53)
        return absolute, absolute @ spread, tolerance

    def whole_sides(self, rhs: np.ndarray) -> np.ndarray:
        """h / u rounded down (b / u to the nearest, NaN where b is no multiple of u); as is where u = 0."""
        quotient = rhs / np.where(self.units > 0, self.units, 1.0)
        nearest = np.round(quotient)
        whole = np.abs(quotient - nearest) <= np.minimum(0.25, _ROUNDING * np.abs(quotient))
        equal = np.arange(len(rhs)) < self.num_equal
        sides = np.where(whole, nearest, np.where(equal, np.nan, np.floor(quotient)))
        return np.where(self.units > 0, sides, quotient)

    @cached_property
    def _is_small(self) -> bool:
        """All rows are in whole numbers, whose sums float64 holds exactly."""
        reach = np.maximum(np.abs(self.lower), np.abs(self.upper))
        return bool((self.units > 0).all() and (self._sizes[0] @ reach < 2.0**53).all())

    def violated(self, x: np.ndarray, rhs: np.ndarray | None = None) -> np.ndarray:
        """Indices of the rows, equalities first, that x (n,), whole where it must be, does not satisfy.

        Args:
            rhs: (m,) other right-hand sides than the program's.
        """
        if not self._is_small:
            return np.flatnonzero(self._excess(x[None], self.rhs if rhs is None else rhs)[0])
        sides = self._own_sides if rhs is None else self.whole_sides(rhs)
        over = self._whole_matrix @ x - sides
        over[: self.num_equal] = np.abs(over[: self.num_equal])
        return np.flatnonzero(~(over <= 0.0))

    @cached_property
    def _own_sides(self) -> np.ndarray:
        return self.whole_sides(self.rhs)

    def contains(self, x: np.ndarray, precision: float = 0.0) -> np.ndarray:
        """x (..., n) -> (...) bool: whole to 1e-6 where it must be, in its bounds, and every row holds.

        Args:
            precision: unit roundoff of the dtype that x was stored in; continuous terms may be off by 16.
        """
        flat = np.asarray(x, dtype=np.float64).reshape(-1, x.shape[-1])
        rounded = np.where(self.integer, np.round(flat), flat)
        allowed = max(_CONTINUOUS, 16 * precision)
        slack = allowed * (1.0 + np.maximum(np.abs(self.lower), np.abs(self.upper)))
        inside = (np.abs(flat - rounded) <= _WHOLE).all(axis=1)
        inside &= ((rounded >= self.lower - slack) & (rounded <= self.upper + slack)).all(axis=1)
        inside &= ~self._excess(rounded, self.rhs, allowed).any(axis=1)
        return inside.reshape(x.shape[:-1])

    def _excess(self, x: np.ndarray, rhs: np.ndarray, allowed: float = _CONTINUOUS) -> np.ndarray:
        """x (k, n), whole where it must be -> (k, m) bool: the row does not hold."""
        absolute, spread, tolerance = self._sizes
        tolerance = np.where(tolerance == _CONTINUOUS, allowed, tolerance)
        sides, exact = self.whole_sides(rhs), self.units > 0
        left = x @ self._whole_matrix.T
        size = np.abs(x) @ absolute.T
        slack = np.where(exact, 0.0, tolerance * (size + np.abs(sides) + spread))
        over = left - sides
        over[:, : self.num_equal] = np.abs(over[:, : self.num_equal])
        broken = ~(over <= slack)
        # sums beyond 2^53 are not exact in float64
        for point, row in zip(*np.nonzero(exact & (size >= 2.0**53) & ~np.isnan(sides)), strict=True):
            broken[point, row] = self._excess_of_large(int(row), x[point], float(sides[row]))
        return broken

    def _excess_of_large(self, row: int, x: np.ndarray, side: float) -> bool:
        span = slice(self.matrix.indptr[row], self.matrix.indptr[row + 1])
        numbers = whole_numbers(self.matrix.data[span], float(self.units[row]))
        taken = [int(v) for v in x[self.matrix.indices[span]]]
        over = sum(a * v for a, v in zip(numbers, taken, strict=True)) - int(side)
        return over != 0 if row < self.num_equal else over > 0
