"""The rows J of one instance: those all instances share, and below them the lazy ones it carries itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.projection.kernels.compiling import compiled_inner
from diffcomb.projection.kernels.ldl import EliminationArrays


class SystemArrays(NamedTuple):
    """What the compiled loops read of a `NormalSystem`; the shared rows come first, in elimination order.

    is_inequality and diagonal also cover the lazy rows, which follow.
    """

    start: np.ndarray
    row_of: np.ndarray
    is_inequality: np.ndarray
    entry_position: np.ndarray
    entry_rows: np.ndarray
    entry_start: np.ndarray
    left: np.ndarray
    right: np.ndarray
    column_of: np.ndarray
    diagonal: np.ndarray
    elimination: EliminationArrays


class LazyArrays(NamedTuple):
    """Rows G x <= h of unit norm by rows (CSR): row r is columns[start[r] : start[r + 1]]."""

    start: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    rhs: np.ndarray


def no_lazy_rows() -> LazyArrays:
    return LazyArrays(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.uint32), np.zeros(0), np.zeros(0))


class InstanceRows(NamedTuple):
    """J = [shared; lazy[own]] and r of one instance, m = len(rhs) rows.

    data, products: values of the shared rows, and of their pairs. own: (K,) which lazy rows it carries.
    """

    system: SystemArrays
    data: np.ndarray
    products: np.ndarray
    lazy: LazyArrays
    own: np.ndarray
    rhs: np.ndarray


@compiled_inner
def rows_times(x, rows, out):  # type: ignore[no-untyped-def]
    """out <- J x."""
    start, row_of, data = rows.system.start, rows.system.row_of, rows.data
    lazy, own = rows.lazy, rows.own
    out[:] = 0.0
    for i in range(len(x)):
        value = x[i]
        if value != 0.0:
            for c in range(start[i], start[i + 1]):
                out[row_of[c]] += data[c] * value
    shared = len(rows.rhs) - len(own)
    for b in range(len(own)):
        value = 0.0
        for c in range(lazy.start[own[b]], lazy.start[own[b] + 1]):
            value += lazy.values[c] * x[lazy.columns[c]]
        out[shared + b] = value


@compiled_inner
def transposed_times(y, rows, out):  # type: ignore[no-untyped-def]
    """out <- J' y."""
    start, row_of, data = rows.system.start, rows.system.row_of, rows.data
    lazy, own = rows.lazy, rows.own
    for i in range(len(out)):
        value = 0.0
        for c in range(start[i], start[i + 1]):
            value += data[c] * y[row_of[c]]
        out[i] = value
    shared = len(rows.rhs) - len(own)
    for b in range(len(own)):
        value = y[shared + b]
        if value != 0.0:
            for c in range(lazy.start[own[b]], lazy.start[own[b] + 1]):
                out[lazy.columns[c]] += lazy.values[c] * value


@compiled_inner
def assemble(L, weight, rows, scratch):  # type: ignore[no-untyped-def]
    """Lower triangle of J diag(weight) J' into the flat array L. scratch: (n,)."""
    system = rows.system
    position, first, column_of = system.entry_position, system.entry_start, system.column_of
    products = rows.products
    L[:] = 0.0
    for e in range(len(position)):
        value = 0.0
        for c in range(first[e], first[e + 1]):
            value += products[c] * weight[column_of[c]]
        L[position[e]] = value
    if len(rows.own) > 0:
        scratch[:] = 0.0
        for b in range(len(rows.own)):
            border_row(L, weight, rows, b, scratch)


@compiled_inner
def border_row(L, weight, rows, b, scratch):  # type: ignore[no-untyped-def]
    """Entries of J diag(weight) J' that belong to the lazy row b; scratch (n,) is 0 before and after."""
    system, data, lazy, own = rows.system, rows.data, rows.lazy, rows.own
    shared = len(rows.rhs) - len(own)
    row = np.int64(system.diagonal[shared + b]) - shared - b
    first, last = lazy.start[own[b]], lazy.start[own[b] + 1]
    for c in range(first, last):
        i = lazy.columns[c]
        value = lazy.values[c] * weight[i]
        scratch[i] = value
        if value != 0.0:
            for e in range(system.start[i], system.start[i + 1]):
                L[row + system.row_of[e]] += data[e] * value
    for other in range(b + 1):
        value = 0.0
        for c in range(lazy.start[own[other]], lazy.start[own[other] + 1]):
            value += lazy.values[c] * scratch[lazy.columns[c]]
        L[row + shared + other] = value
    for c in range(first, last):
        scratch[lazy.columns[c]] = 0.0
