"""0-1 linear programs in MPS or LP files, through HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import highspy
import numpy as np
from scipy import sparse

from diffcomb.errors import InvalidInstanceError


@dataclass(frozen=True)
class BinaryModel:
    """min costs'z, A z = b, G z <= h, z binary."""

    costs: np.ndarray
    A: sparse.csr_array
    b: np.ndarray
    G: sparse.csr_array
    h: np.ndarray


def read_binary_model(source: str | Path | highspy.Highs) -> BinaryModel:
    """Read a file, or take a HiGHS model as it is; fixed variables become equalities.

    Raises:
        InvalidInstanceError: unreadable, empty, or a variable that is not binary (it is named).
    """
    model = source if isinstance(source, highspy.Highs) else _read(Path(source))
    lp = model.getLp()
    n, m = lp.num_col_, lp.num_row_
    if n == 0:
        raise InvalidInstanceError("The model has no variables.")
    lower, upper = np.asarray(lp.col_lower_), np.asarray(lp.col_upper_)
    kinds = list(lp.integrality_) or [highspy.HighsVarType.kContinuous] * n
    for j in range(n):
        if kinds[j] != highspy.HighsVarType.kInteger or lower[j] < 0 or upper[j] > 1:
            name = lp.col_names_[j] if lp.col_names_ else f"number {j}"
            raise InvalidInstanceError(
                f"Variable {name} is not binary (integer between 0 and 1); only 0-1 programs are supported."
            )
    a = lp.a_matrix_
    layout = sparse.csc_array if a.format_ == highspy.MatrixFormat.kColwise else sparse.csr_array
    matrix = sparse.csr_array(
        layout((np.asarray(a.value_), np.asarray(a.index_), np.asarray(a.start_)), shape=(m, n))
    )
    low, up = np.asarray(lp.row_lower_), np.asarray(lp.row_upper_)
    equal = low == up
    above, below = ~equal & np.isfinite(up), ~equal & np.isfinite(low)
    fixed = np.flatnonzero(lower == upper)
    identity = sparse.csr_array(sparse.eye_array(n, format="csr"))
    sign = -1.0 if lp.sense_ == highspy.ObjSense.kMaximize else 1.0
    return BinaryModel(
        costs=sign * np.asarray(lp.col_cost_, dtype=np.float64),
        A=sparse.csr_array(sparse.vstack([matrix[equal], identity[fixed]])),
        b=np.concatenate([low[equal], lower[fixed]]),
        G=sparse.csr_array(sparse.vstack([matrix[above], -matrix[below]])),
        h=np.concatenate([up[above], -low[below]]),
    )


def _read(path: Path) -> highspy.Highs:
    if not path.is_file():
        raise InvalidInstanceError(f"No file {path}.")
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    if model.readModel(str(path)) == highspy.HighsStatus.kError:
        raise InvalidInstanceError(f"{path.name} is not a readable MPS or LP file.")
    return model
