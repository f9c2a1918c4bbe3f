"""Rows in digits: the same row of whole numbers as several with small ones, tied by whole carries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor, log2

import numpy as np
from scipy import sparse

from diffcomb.program.program import Program
from diffcomb.program.units import whole_numbers

#: sums of a row's terms stay below: far above a solver's tolerance, and below 2^31
LARGEST_SUM = 2**30
#: digits (binary) that are kept of the largest entry of a row that is in no whole numbers
_KEPT = 50
_ROUNDING = 2.0**-43


@dataclass
class _Row:
    columns: list[int]
    numbers: list[int]
    side: int


def in_digits(program: Program, rows: np.ndarray, largest_sum: int = LARGEST_SUM) -> Program:
    """The same decisions, with `rows` (equalities first) written so that no row's terms sum beyond a limit.

    A row sum a_j x_j <= s in whole numbers, split to a base B as a_j = q_j B + r_j, holds if and only if
    there is a whole carry t with  sum r_j x_j - B t <= r_s  and  sum q_j x_j + t <= q_s;  the second is
    split again where it must be. The carries are further columns, at the end, whole and bounded. Rows in no
    whole numbers keep 50 binary digits of their largest entry, within the rounding that input is forgiven.

    Args:
        rows: indices of rows over integer columns alone.
    """
    split = _Splitter(program, largest_sum)
    for row in rows:
        split.add(int(row))
    kept_equal = np.setdiff1d(np.arange(len(program.b)), rows)
    kept_below = np.setdiff1d(np.arange(len(program.h)), rows - len(program.b))
    width, extra = len(split.lower), len(split.lower) - program.num_vars
    A, b = _stack(program.A[kept_equal], program.b[kept_equal], split.equal, width)
    G, h = _stack(program.G[kept_below], program.h[kept_below], split.below, width)
    return replace(
        program,
        A=A,
        b=b,
        G=G,
        h=h,
        integral=False,
        separation=None,
        every_lazy_row=None,
        lower=np.array(split.lower),
        upper=np.array(split.upper),
        integer=np.concatenate([program.integer, np.ones(extra, dtype=bool)]),
        structure=None,
    )


def _stack(
    M: sparse.csr_array, rhs: np.ndarray, rows: list[_Row], width: int
) -> tuple[sparse.csr_array, np.ndarray]:
    old = sparse.csr_array((M.data, M.indices, M.indptr), shape=(M.shape[0], width))
    start = np.cumsum([0] + [len(row.columns) for row in rows])
    columns = np.array([j for row in rows for j in row.columns], dtype=np.int64)
    data = np.array([float(a) for row in rows for a in row.numbers])
    new = sparse.csr_array((data, columns, start), shape=(len(rows), width))
    sides = np.array([float(row.side) for row in rows])
    return sparse.csr_array(sparse.vstack([old, new], format="csr")), np.concatenate([rhs, sides])


class _Splitter:
    def __init__(self, program: Program, largest_sum: int) -> None:
        self._membership, self._largest = program.membership, largest_sum
        self._sides = program.membership.whole_sides(program.membership.rhs)
        self.lower, self.upper = program.lower.tolist(), program.upper.tolist()
        self.equal: list[_Row] = []
        self.below: list[_Row] = []

    def add(self, row: int) -> None:
        known = self._membership
        span = slice(known.matrix.indptr[row], known.matrix.indptr[row + 1])
        values, columns = known.matrix.data[span], known.matrix.indices[span].tolist()
        is_equal, unit, side = row < known.num_equal, float(known.units[row]), float(self._sides[row])
        if unit > 0:
            # an equality without a whole right-hand side has no solution: 0 = 1
            numbers = whole_numbers(values, unit) if side == side else [0] * len(columns)
            self._split(_Row(columns, numbers, int(side) if side == side else 1), is_equal)
            return
        top = float(np.abs(values).max())
        unit = 2.0 ** (floor(log2(top)) - _KEPT)
        numbers, rhs = whole_numbers(values, unit), float(known.rhs[row])
        room = _ROUNDING * abs(rhs) + len(values) * top * 2.0**-_KEPT
        self._split(_Row(columns, numbers, floor((rhs + room) / unit)), False)
        if is_equal:
            self._split(_Row(columns, [-a for a in numbers], floor((room - rhs) / unit)), False)

    def _split(self, row: _Row, is_equal: bool) -> None:
        while True:
            reach = [int(max(abs(self.lower[j]), abs(self.upper[j]))) for j in row.columns]
            size = sum(abs(a) * r for a, r in zip(row.numbers, reach, strict=True))
            if size + abs(row.side) <= self._largest:
                (self.equal if is_equal else self.below).append(row)
                return
            base = 2 ** max(1, int(log2(self._largest / (2 + sum(reach)))) - 1)
            low, row = self._lowest_digit(row, base)
            (self.equal if is_equal else self.below).append(low)

    def _lowest_digit(self, row: _Row, base: int) -> tuple[_Row, _Row]:
        """The row of the last digits, and what remains above it, both with a new carry."""
        last = [(a + base // 2) % base - base // 2 for a in row.numbers]
        above = [(a - r) // base for a, r in zip(row.numbers, last, strict=True)]
        last_side = (row.side + base // 2) % base - base // 2
        above_side = (row.side - last_side) // base
        terms = [
            sorted((r * int(self.lower[j]), r * int(self.upper[j])))
            for r, j in zip(last, row.columns, strict=True)
        ]
        carry = len(self.lower)
        self.lower.append(float(-((last_side - sum(t[0] for t in terms)) // base)))
        self.upper.append(float(-((last_side - sum(t[1] for t in terms)) // base)))
        low = _kept(_Row([*row.columns, carry], [*last, -base], last_side))
        return low, _kept(_Row([*row.columns, carry], [*above, 1], above_side))


def _kept(row: _Row) -> _Row:
    """Without the terms that are 0."""
    used = [(j, a) for j, a in zip(row.columns, row.numbers, strict=True) if a]
    return _Row([j for j, _ in used], [a for _, a in used], row.side)
