"""A model that HiGHS holds -> MixedIntegerModel."""

from __future__ import annotations

import highspy
import numpy as np
from scipy import sparse

from diffcomb.data.mixed_integer_model import Columns, MixedIntegerModel, RowBounds, assemble
from diffcomb.errors import InvalidInstanceError


def from_highs(model: highspy.Highs, source: str = "The model") -> MixedIntegerModel:
    """Copies of the arrays of a HiGHS model; see `assemble` for what is refused.

    Raises:
        InvalidInstanceError: semi-continuous variables besides.
    """
    columns, rows, others = parts_of(model, source)
    return assemble(source, columns, rows, **others)


def parts_of(model: highspy.Highs, source: str) -> tuple[Columns, RowBounds, dict]:
    """Columns, rows, and the sense, constant and Q of a HiGHS model, as `assemble` takes them."""
    lp = model.getLp()
    n, m = lp.num_col_, lp.num_row_
    names = tuple(lp.col_names_) if len(lp.col_names_) == n else tuple(f"x{j}" for j in range(n))
    kinds = list(lp.integrality_) or [highspy.HighsVarType.kContinuous] * n
    plain = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    for name, kind in zip(names, kinds, strict=True):
        if kind not in plain:
            raise InvalidInstanceError(
                f"{source}: variable {name} is semi-continuous, which is not supported."
            )
    a = lp.a_matrix_
    layout = sparse.csc_array if a.format_ == highspy.MatrixFormat.kColwise else sparse.csr_array
    entries = (np.array(a.value_), np.array(a.index_), np.array(a.start_)) if n and m else None
    matrix = sparse.csr_array((m, n)) if entries is None else sparse.csr_array(layout(entries, shape=(m, n)))
    rows = RowBounds(
        tuple(lp.row_names_) if len(lp.row_names_) == m else tuple(f"row{i}" for i in range(m)),
        matrix,
        np.array(lp.row_lower_, dtype=np.float64),
        np.array(lp.row_upper_, dtype=np.float64),
    )
    columns = Columns(
        names,
        np.array(lp.col_cost_, dtype=np.float64),
        np.array(lp.col_lower_, dtype=np.float64),
        np.array(lp.col_upper_, dtype=np.float64),
        np.array([kind == highspy.HighsVarType.kInteger for kind in kinds], dtype=bool),
    )
    sense = "max" if lp.sense_ == highspy.ObjSense.kMaximize else "min"
    return columns, rows, {"sense": sense, "constant": lp.offset_, "Q": _quadratic(model, n)}


def _quadratic(model: highspy.Highs, n: int) -> sparse.csr_array | None:
    """Q (n, n) symmetric of x'Q x / 2; HiGHS keeps its lower triangle by columns."""
    hessian = model.getModel().hessian_
    if hessian.dim_ == 0:
        return None
    entries = (np.array(hessian.value_), np.array(hessian.index_), np.array(hessian.start_))
    stored = sparse.csc_array(entries, shape=(hessian.dim_, hessian.dim_))
    if hessian.format_ == highspy.HessianFormat.kTriangular:
        stored = stored + sparse.tril(stored, -1).T
    Q = sparse.csr_array(stored)
    Q.resize((n, n))
    Q.eliminate_zeros()
    return Q
