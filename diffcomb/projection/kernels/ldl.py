"""Sparse LDL' of normal matrices J W J', analysed once per sparsity pattern, factorised per sample.

Minimum-degree elimination while it stays sparse, one dense block for what is left. The lower
triangle lives in one flat array: column k of the sparse part is L[column[k] : column[k + 1]], its
diagonal first; the dense block of size `tail` follows, row by row. A knapsack is then all dense
block, a grid mostly sparse columns, and both run through the same few loops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from diffcomb.projection.kernels.compiling import compiled, compiled_inner

#: switch to the dense block once the least connected row touches this share of the rows left
DENSE_SHARE = 0.95


class EliminationArrays(NamedTuple):
    """What the compiled loops read of an `Elimination`."""

    column: np.ndarray
    row_of: np.ndarray
    target: np.ndarray
    target_start: np.ndarray
    contiguous: np.ndarray
    tail: int
    stride: int
    size: int


@dataclass(frozen=True)
class Elimination:
    """Symbolic factorisation of a symmetric m x m pattern.

    Attributes:
        order: (m,) original index of the k-th eliminated row.
        column: (m - tail + 1,) start of each sparse column in the flat array.
        row_of: eliminated index of each sparse entry.
        target: flat position that the first (or each) product of a column updates; see `factorize`.
        target_start: (m - tail + 1,) start of each column in `target`.
        contiguous: (m - tail,) whether each row of the column's update is contiguous in the flat array.
        tail: size of the dense block.
    """

    order: np.ndarray
    column: np.ndarray
    row_of: np.ndarray
    target: np.ndarray
    target_start: np.ndarray
    contiguous: np.ndarray
    tail: int

    def arrays(self, border: int = 0) -> EliminationArrays:
        """For up to `border` rows more, which come last and are stored densely, `stride` apart."""
        # unsigned indices need no check for negative ones
        row_of = self.row_of.astype(np.uint32)
        stride = len(self.order) + border
        return EliminationArrays(
            self.column,
            row_of,
            self.target,
            self.target_start,
            self.contiguous,
            self.tail,
            stride,
            self.size + border * stride,
        )

    @property
    def size(self) -> int:
        """Length of the flat array."""
        return int(self.column[-1]) + self.tail * self.tail

    def position(self, row: np.ndarray, col: np.ndarray) -> np.ndarray:
        """Flat positions of the entries (row >= col), in eliminated indices; they must be in the pattern."""
        sparse_part, base = len(self.column) - 1, int(self.column[-1])
        out = base + (row - sparse_part) * self.tail + (col - sparse_part)
        entry_columns = np.repeat(np.arange(sparse_part), np.diff(self.column))
        keys = entry_columns * (sparse_part + self.tail) + self.row_of  # sorted by construction
        inside = col < sparse_part
        out[inside] = np.searchsorted(keys, (col * (sparse_part + self.tail) + row)[inside])
        return out.astype(np.int64)

    @staticmethod
    def analyze(pattern: sparse.sparray, dense_share: float = DENSE_SHARE) -> Elimination:
        """Order and structure for the symmetric pattern of a square sparse matrix.

        Args:
            dense_share: the dense block starts once the least connected row touches this share of the
                rows left. Small: a larger block, which is analysed in no time; for a pattern that is
                factorised a few times only.
        """
        m = pattern.shape[0]
        adjacency = np.zeros((m, m), dtype=np.bool_)
        rows, cols = sparse.coo_array(pattern).coords
        adjacency[rows, cols] = adjacency[cols, rows] = True
        order, buffers = np.empty(m, dtype=np.int64), np.empty((2, m), dtype=np.int64)
        sparse_part = _minimum_degree(adjacency, dense_share, order, np.ones(m, dtype=np.bool_), *buffers)
        rank = np.empty(m, dtype=np.int64)
        rank[order] = np.arange(m)
        column, row_of = [0], []
        for k in range(sparse_part):
            # the row was left as it stood when it was eliminated
            neighbours = rank[adjacency[order[k]]]
            below = np.sort(neighbours[neighbours > k])
            row_of.append(np.concatenate([[k], below]))
            column.append(column[-1] + 1 + len(below))
        starts = np.array(column, dtype=np.int64)
        below_all = np.concatenate(row_of or [np.zeros(0)]).astype(np.int64)
        target, start, contiguous = _targets(starts, below_all, m - sparse_part)
        return Elimination(order, starts, below_all, target, start, contiguous, m - sparse_part)


@compiled
def _targets(column, row_of, tail):  # type: ignore[no-untyped-def]
    """Where the outer product of each sparse column lands: target, target_start, contiguous."""
    sparse_part = len(column) - 1
    base = column[sparse_part]
    contiguous = np.zeros(sparse_part, dtype=np.bool_)
    start = np.zeros(sparse_part + 1, dtype=np.int64)
    for k in range(sparse_part):
        first, last = column[k] + 1, column[k + 1]
        d = last - first
        # inside the dense block and without holes: only the start of each row is stored
        contiguous[k] = d > 0 and row_of[first] >= sparse_part and row_of[last - 1] - row_of[first] == d - 1
        start[k + 1] = start[k] + (d if contiguous[k] else d * (d + 1) // 2)
    target = np.empty(start[sparse_part], dtype=np.uint32)
    for k in range(sparse_part):
        first, last = column[k] + 1, column[k + 1]
        q = start[k]
        if contiguous[k]:
            for a in range(first, last):
                target[q] = base + (row_of[a] - sparse_part) * tail + row_of[first] - sparse_part
                q += 1
            continue
        for b in range(first, last):
            # entries (a, b), a below b, of column b: both lists of rows are sorted
            j = row_of[b]
            place = column[j] if j < sparse_part else 0
            for a in range(b, last):
                i, offset = row_of[a], a - first
                if j < sparse_part:
                    while row_of[place] < i:
                        place += 1
                    target[q + offset * (offset + 1) // 2 + b - first] = place
                else:
                    target[q + offset * (offset + 1) // 2 + b - first] = (
                        base + (i - sparse_part) * tail + j - sparse_part
                    )
    return target, start, contiguous


@compiled
def _minimum_degree(adjacency, dense_share, order, alive, degree, near):  # type: ignore[no-untyped-def]
    """Greedy elimination; fills order and adjacency, returns the number of sparse columns.

    alive: all True. degree, near: (m,) work space.
    """
    m = adjacency.shape[0]
    for i in range(m):
        adjacency[i, i] = False
        degree[i] = 0
        for j in range(m):
            degree[i] += adjacency[i, j]
    k = 0
    while k < m:
        best = -1
        for i in range(m):
            if alive[i] and (best < 0 or degree[i] < degree[best]):
                best = i
        if degree[best] > 0 and degree[best] >= dense_share * (m - k - 1):
            break
        count = 0
        for j in range(m):
            if alive[j] and adjacency[best, j]:
                near[count] = j
                count += 1
        alive[best] = False
        for a in range(count):
            u = near[a]
            degree[u] -= 1
            for b in range(a):
                v = near[b]
                if not adjacency[u, v]:
                    adjacency[u, v] = True
                    adjacency[v, u] = True
                    degree[u] += 1
                    degree[v] += 1
        order[k] = best
        k += 1
    sparse_part = k
    for i in range(m):
        if alive[i]:
            order[k] = i
            k += 1
    return sparse_part


@compiled
def factorize(L, inverse, scratch, tolerance, elimination, m):  # type: ignore[no-untyped-def]
    """M -> L D L' in place; inverse[k] = 1 / d_k.

    M is positive semidefinite. A pivot below `tolerance` times its original diagonal belongs to a
    row that depends on those before it: it is skipped (inverse 0), which solves consistent systems
    exactly and leaves the dependent multiplier where it was.

    Args:
        m: rows in all. Those beyond the eliminated ones border the matrix: they are stored densely
            below it, `stride` apart, and come last.

    Returns:
        The number of pivots kept, the numerical rank.
    """
    column, target, target_start = elimination.column, elimination.target, elimination.target_start
    contiguous, tail = elimination.contiguous, elimination.tail
    sparse_part = len(column) - 1
    base = column[sparse_part]
    shared = sparse_part + tail
    below_base = base + tail * tail
    rank = 0
    for b in range(m - shared):
        inverse[shared + b] = L[below_base + b * elimination.stride + shared + b] * tolerance
    # `inverse` holds the smallest pivot accepted until the pivot itself takes its place
    for k in range(sparse_part):
        inverse[k] = L[column[k]] * tolerance
    for k in range(tail):
        inverse[sparse_part + k] = L[base + k * tail + k] * tolerance
    for k in range(sparse_part):
        first, last = column[k] + 1, column[k + 1]
        pivot = L[column[k]]
        if not pivot > max(inverse[k], 1e-300):
            inverse[k] = 0.0
            L[first:last] = 0.0
            continue
        rank += 1
        inv = 1.0 / pivot
        inverse[k] = inv
        q = target_start[k]
        if contiguous[k]:
            # slices start at 0, so the compiler sees that no index is negative
            below = scratch[: last - first]
            below[:] = L[first:last]
            for a in range(last - first):
                scale = below[a] * inv
                shift = np.int64(target[q + a])
                row = L[shift : shift + a + 1]
                for b in range(a + 1):
                    row[b] -= scale * below[b]
        else:
            for a in range(first, last):
                scale = L[a] * inv
                for b in range(first, a + 1):
                    L[target[q]] -= scale * L[b]
                    q += 1
        for a in range(first, last):
            L[a] *= inv
    for k in range(tail):
        pivot = L[base + k * tail + k]
        if not pivot > max(inverse[sparse_part + k], 1e-300):
            inverse[sparse_part + k] = 0.0
            for i in range(k + 1, tail):
                L[base + i * tail + k] = 0.0
            continue
        rank += 1
        inv = 1.0 / pivot
        inverse[sparse_part + k] = inv
        below = scratch[: tail - k - 1]
        for i in range(tail - k - 1):
            below[i] = L[base + (k + 1 + i) * tail + k]
        for i in range(tail - k - 1):
            scale = below[i] * inv
            diagonal = base + (k + 1 + i) * tail + k
            L[diagonal] = scale
            row = L[diagonal + 1 : diagonal + i + 2]
            for j in range(i + 1):
                row[j] -= scale * below[j]
    for b in range(m - shared):
        # row by row: u = (L D) below, then l = u D^-1
        start = below_base + b * elimination.stride
        row = L[start : start + shared + b + 1]
        _forward(L, row, elimination, shared)
        u, value = scratch[: shared + b], row[shared + b]
        for j in range(shared + b):
            if j >= shared:
                left = L[below_base + (j - shared) * elimination.stride :]
                product = row[j]
                for i in range(j):
                    product -= u[i] * left[i]
                row[j] = product
            u[j] = row[j]
        for j in range(shared + b):
            row[j] = u[j] * inverse[j]
            value -= u[j] * row[j]
        if value > max(inverse[shared + b], 1e-300):
            rank += 1
            inverse[shared + b] = 1.0 / value
            row[shared + b] = value
        else:
            inverse[shared + b] = 0.0
    return rank


@compiled_inner
def _forward(L, v, elimination, shared):  # type: ignore[no-untyped-def]
    """v[:shared] <- L^-1 v[:shared], L of the eliminated rows."""
    column, row_of, tail = elimination.column, elimination.row_of, elimination.tail
    sparse_part = len(column) - 1
    base = column[sparse_part]
    for k in range(sparse_part):
        value = v[k]
        if value != 0.0:
            for a in range(column[k] + 1, column[k + 1]):
                v[row_of[a]] -= L[a] * value
    dense = v[sparse_part:shared]
    for i in range(tail):
        row = L[base + i * tail : base + i * tail + i]
        value = 0.0
        for j in range(i):
            value += row[j] * dense[j]
        dense[i] -= value


@compiled_inner
def solve(L, inverse, v, elimination, m):  # type: ignore[no-untyped-def]
    """v <- (L D L')^+ v in place; skipped pivots give 0. m as in `factorize`."""
    column, row_of, tail = elimination.column, elimination.row_of, elimination.tail
    sparse_part = len(column) - 1
    base = column[sparse_part]
    shared = sparse_part + tail
    below_base = base + tail * tail
    _forward(L, v, elimination, shared)
    for b in range(m - shared):
        row = L[below_base + b * elimination.stride :]
        value = 0.0
        for j in range(shared + b):
            value += row[j] * v[j]
        v[shared + b] -= value
    for k in range(m):
        v[k] *= inverse[k]
    for b in range(m - shared - 1, -1, -1):
        row = L[below_base + b * elimination.stride :]
        value = v[shared + b]
        for j in range(shared + b):
            v[j] -= row[j] * value
    dense = v[sparse_part:shared]
    for i in range(tail - 1, -1, -1):
        row = L[base + i * tail : base + i * tail + i]
        value = dense[i]
        for j in range(i):
            dense[j] -= row[j] * value
    for k in range(sparse_part - 1, -1, -1):
        value = v[k]
        for a in range(column[k] + 1, column[k + 1]):
            value -= L[a] * v[row_of[a]]
        v[k] = value
