"""Rows collected term by term, for front ends that hand out expressions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from diffcomb.data.mixed_integer_model import RowBounds


@dataclass
class RowList:
    """Rows low <= sum of coefficient x_column <= high, added one by one."""

    names: list[str] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    _columns: list[int] = field(default_factory=list)
    _data: list[float] = field(default_factory=list)
    _ends: list[int] = field(default_factory=lambda: [0])

    def add(self, name: str, terms: Iterable[tuple[int, float]], low: float, high: float) -> None:
        """terms: (column, coefficient) pairs; repeated columns are summed."""
        for column, coefficient in terms:
            self._columns.append(column)
            self._data.append(float(coefficient))
        self._ends.append(len(self._data))
        self.names.append(name)
        self.low.append(low)
        self.high.append(high)

    def bounds(self, num_vars: int) -> RowBounds:
        """All of them as arrays."""
        matrix = sparse.csr_array(
            (np.array(self._data, dtype=np.float64), np.array(self._columns, dtype=np.int64), self._ends),
            shape=(len(self.names), num_vars),
        )
        matrix.sum_duplicates()
        return RowBounds(tuple(self.names), matrix, np.array(self.low), np.array(self.high))


def symmetric(terms: Iterable[tuple[int, int, float]], num_vars: int) -> sparse.csr_array | None:
    """Q of x'Q x / 2 from terms coefficient x_i x_j, each product once; None where there are none."""
    listed = list(terms)
    if not listed:
        return None
    i, j, values = (np.array(part) for part in zip(*listed, strict=True))
    half = sparse.csr_array((values, (i, j)), shape=(num_vars, num_vars), dtype=np.float64)
    return sparse.csr_array(half + half.T)
