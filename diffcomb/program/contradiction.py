"""Why nothing satisfies a program: the rows that cannot hold, by name."""

from __future__ import annotations

from typing import Protocol

import highspy
import numpy as np
from scipy import sparse

from diffcomb.program.lp_model import highs_model
from diffcomb.program.names import Names

#: rows named in one sentence
_SHOWN = 3


class _Rows(Protocol):
    """A `Program` or an `OpenProgram`."""

    @property
    def A(self) -> sparse.csr_array: ...
    @property
    def b(self) -> np.ndarray: ...
    @property
    def G(self) -> sparse.csr_array: ...
    @property
    def h(self) -> np.ndarray: ...
    @property
    def lower(self) -> np.ndarray: ...
    @property
    def upper(self) -> np.ndarray: ...


def contradiction(program: _Rows, names: Names) -> str:
    """One clause that names the rows of an infeasible program which stand against each other.

    First a row that no point of the box satisfies; then the rows that the linear relaxation has to break,
    in units of their own size, when it may break any; else integrality is to blame.
    """
    rows = sparse.csr_array(sparse.vstack([program.A, program.G], format="csr"))
    labels = names.equalities + names.inequalities
    low = np.concatenate([program.b, np.full(len(program.h), -np.inf)])
    high = np.concatenate([program.b, program.h])
    size = np.maximum(np.abs(rows).max(axis=1).toarray().ravel(), 1e-300) if rows.shape[0] else np.ones(0)
    rows = sparse.csr_array(sparse.diags_array(1.0 / size) @ rows)
    low, high = low / size, high / size
    up, down = rows.maximum(0), rows.minimum(0)
    with np.errstate(invalid="ignore"):  # infinite both ways: NaN, which is no contradiction
        least = up @ program.lower + down @ program.upper
        most = up @ program.upper + down @ program.lower
    alone = np.flatnonzero((least > high + 1e-9) | (most < low - 1e-9))
    if len(alone):
        return f"{labels[alone[0]]} cannot hold within the bounds of its variables"
    broken = _must_break(rows, low, high, program)
    if not len(broken):
        return "its rows and bounds leave room for fractions only, not for whole numbers"
    shown = [labels[k] for k in broken[:_SHOWN]] + (["..."] if len(broken) > _SHOWN else [])
    return f"{', '.join(shown)} cannot hold together with the other rows"


def _must_break(rows: sparse.csr_array, low: np.ndarray, high: np.ndarray, program: _Rows) -> np.ndarray:
    """Rows with a violation in the solution that violates least in sum."""
    m, n = rows.shape
    eye = sparse.eye_array(m, format="csr")
    elastic = sparse.csr_array(sparse.hstack([rows, eye, -eye], format="csr"))
    lower = np.concatenate([program.lower, np.zeros(2 * m)])
    upper = np.concatenate([program.upper, np.full(2 * m, np.inf)])
    costs = np.concatenate([np.zeros(n), np.ones(2 * m)])
    model = highs_model(elastic, low, high, lower, upper, costs)
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return np.zeros(0, dtype=np.int64)
    x = np.asarray(model.getSolution().col_value)[n:]
    return np.flatnonzero(x[:m] + x[m:] > 1e-7)
