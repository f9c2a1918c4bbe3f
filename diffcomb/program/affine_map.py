"""y = M p + m: how a few predicted numbers drive many entries of a program, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

#: entries up to which a matrix is stored densely: 32 MB in float64
_DENSE_ENTRIES = 4_000_000


class SparseProduct:
    """x -> M x for tensors x (..., columns) of any dtype and device, differentiable in x.

    A gather where every row has one entry at most, which is what selections are; else a dense product
    for matrices of moderate size, and sums entry by entry for others. Half precision is summed in
    float32.
    """

    def __init__(self, matrix: sparse.csr_array) -> None:
        self._shape = matrix.shape
        coordinates = sparse.coo_array(matrix)
        self._rows = torch.from_numpy(coordinates.row.astype(np.int64))
        self._columns = torch.from_numpy(coordinates.col.astype(np.int64))
        self._data = torch.from_numpy(coordinates.data.astype(np.float64))
        self._selects = bool((np.bincount(coordinates.row, minlength=1) <= 1).all())
        self._is_dense = not self._selects and self._shape[0] * self._shape[1] <= _DENSE_ENTRIES
        self._moved: dict[tuple[torch.device, torch.dtype], tuple[Tensor, ...]] = {}

    def __call__(self, x: Tensor) -> Tensor:
        working = x if x.dtype in (torch.float32, torch.float64) else x.float()
        parts = self._on(working.device, working.dtype)
        if self._selects:
            columns, data = parts
            out = working[..., columns] * data
        elif self._is_dense:
            out = working @ parts[0]
        else:
            rows, columns, data = parts
            zero = working.new_zeros(*working.shape[:-1], self._shape[0])
            out = zero.index_add(-1, rows, working[..., columns] * data)
        return out.to(x.dtype)

    def _on(self, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, ...]:
        """The matrix where x is, moved once."""
        if (device, dtype) not in self._moved:
            self._moved[device, dtype] = tuple(part.to(device) for part in self._parts(dtype))
        return self._moved[device, dtype]

    def _parts(self, dtype: torch.dtype) -> tuple[Tensor, ...]:
        values = self._data.to(dtype)
        if self._selects:
            # rows without an entry read column 0 and weigh it with 0
            columns = torch.zeros(self._shape[0], dtype=torch.int64)
            data = torch.zeros(self._shape[0], dtype=dtype)
            columns[self._rows], data[self._rows] = self._columns, values
            return columns, data
        if self._is_dense:
            transposed = torch.zeros(self._shape[1], self._shape[0], dtype=dtype)
            transposed[self._columns, self._rows] = values
            return (transposed,)
        return self._rows, self._columns, values


@dataclass(frozen=True, eq=False)
class AffineMap:
    """y = M p + m.

    Args:
        matrix: M, sparse (size, P).
        constant: m, (size,).
    """

    matrix: sparse.csr_array
    constant: np.ndarray
    _constants: dict[tuple[torch.device, torch.dtype], Tensor] = field(
        default_factory=dict, init=False, repr=False
    )

    def __call__(self, p: Tensor) -> Tensor:
        """(..., P) -> (..., size)."""
        return self.linear(p) + self._constant_like(p)

    def linear(self, p: Tensor) -> Tensor:
        """M p, (..., P) -> (..., size)."""
        return self._forward(p)

    def pull(self, grad: Tensor) -> Tensor:
        """M'g, a gradient in y (..., size) as one in p (..., P)."""
        return self._backward(grad)

    @cached_property
    def driven(self) -> np.ndarray:
        """(size,) bool: the entries that p moves."""
        return np.diff(self.matrix.indptr) > 0

    @cached_property
    def _forward(self) -> SparseProduct:
        return SparseProduct(self.matrix)

    @cached_property
    def _backward(self) -> SparseProduct:
        return SparseProduct(sparse.csr_array(self.matrix.T))

    def _constant_like(self, p: Tensor) -> Tensor:
        key = (p.device, p.dtype)
        if key not in self._constants:
            self._constants[key] = torch.as_tensor(self.constant, dtype=p.dtype, device=p.device)
        return self._constants[key]
