"""x'Q x / 2 with a sparse symmetric Q."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

#: eigenvalues this far below 0, relative to the largest entry, are rounding
_ROUNDING = 1e-9


def is_convex(Q: sparse.csr_array) -> bool:
    """Whether the symmetric Q is positive semidefinite, judged on the coordinates it touches."""
    touched = np.flatnonzero(np.abs(Q).sum(axis=0) > 0)
    if not len(touched):
        return True
    dense = Q[touched][:, touched].toarray()
    return bool(np.linalg.eigvalsh(dense)[0] >= -_ROUNDING * np.abs(dense).max())


def quadratic_value(Q: sparse.csr_array, z: Tensor, entries: Tensor | None = None) -> Tensor:
    """z'Q z / 2, (..., n) -> (...), differentiable in both.

    Args:
        entries: (..., nnz) values in place of the stored ones.
    """
    i = torch.from_numpy(np.repeat(np.arange(Q.shape[0]), np.diff(Q.indptr))).to(z.device)
    j = torch.from_numpy(Q.indices.astype(np.int64)).to(z.device)
    values = torch.from_numpy(Q.data).to(z) if entries is None else entries
    return 0.5 * (z[..., i] * z[..., j] * values).sum(-1)
