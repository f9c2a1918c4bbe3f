"""Sparse rows and bounds as a HiGHS model."""

from __future__ import annotations

import highspy
import numpy as np
from scipy import sparse

from diffcomb.quiet_highs import QuietHighs


def highs_model(
    matrix: sparse.csr_array,
    row_lower: np.ndarray,
    row_upper: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    costs: np.ndarray | None = None,
) -> QuietHighs:
    """min costs'x over row_lower <= matrix x <= row_upper, lower <= x <= upper, no integers; not run yet."""
    m, n = matrix.shape
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = n, m
    lp.col_cost_ = np.zeros(n) if costs is None else costs
    lp.col_lower_, lp.col_upper_ = lower, upper
    lp.row_lower_, lp.row_upper_ = row_lower, row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = np.asarray(matrix.data, dtype=np.float64)
    model = QuietHighs()
    model.passModel(lp)
    return model
