"""Is a point a member of Z? Rows judged in units of their own size."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from diffcomb.program.program import Program

#: how far from a whole number a coordinate may be
_WHOLE = 1e-6
#: rows of whole numbers: rounding of their coefficients (0.1 + 0.2 <= 0.3), relative to their terms
_EXACT = 1e-12
#: rows with continuous variables: the tolerance of solvers, relative to the largest coefficient ...
_SOLVED = 4e-9
#: ... and what continuous terms and bounds may be off, relative to their size
_REAL = 1e-8


def is_member(program: Program, z: np.ndarray, precision: float = 0.0) -> np.ndarray:
    """z (batch, n) -> (batch,) bool: whole where it must be, within bounds, no row violated.

    Whole numbers are rounded first. A row of whole numbers may be off by 1e-12 of its terms, which is
    rounding of its coefficients; one with continuous variables by 4e-9 of its largest coefficient, which
    is what solvers leave of rows scaled to 1, and 1e-8 of its continuous terms.

    Args:
        precision: unit roundoff of the dtype that z was stored in; continuous terms may be off by 16 of it.
    """
    nearest = np.round(z)
    whole = np.abs(z - nearest) <= _WHOLE
    x = np.where(program.integer, nearest, z)
    slack = max(_REAL, 16 * precision)
    reach = slack * np.maximum(1.0, np.abs(x))
    within = (x >= program.lower - reach) & (x <= program.upper + reach)
    member = (whole | ~program.integer).all(axis=1) & within.all(axis=1)
    for matrix, rhs, equal in ((program.A, program.b, True), (program.G, program.h, False)):
        if len(rhs):
            excess = x @ matrix.T - rhs
            member &= ((np.abs(excess) if equal else excess) <= _room(matrix, rhs, x, program, slack)).all(
                axis=1
            )
    return member


def _room(
    matrix: sparse.csr_array, rhs: np.ndarray, x: np.ndarray, program: Program, slack: float
) -> np.ndarray:
    """(batch, rows) allowed violation."""
    size = abs(matrix)
    real = np.where(program.integer, 0.0, np.abs(x)) @ size.T
    exact = _EXACT * (np.abs(x) @ size.T + np.abs(rhs))
    mixed = (size @ (~program.integer).astype(np.float64)) > 0
    largest = np.where(mixed, size.max(axis=1).toarray().ravel(), 0.0)
    return exact + _SOLVED * largest + slack * real
