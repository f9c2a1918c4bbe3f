"""Is x'Q x convex?"""

from __future__ import annotations

import numpy as np
from scipy import sparse

#: eigenvalues this far below 0, relative to the largest entry, are rounding
_ROUNDING = 1e-9


def is_convex(Q: sparse.csr_array) -> bool:
    """Whether the symmetric Q is positive semidefinite, judged on the coordinates it touches."""
    touched = np.flatnonzero(np.abs(Q).sum(axis=0) > 0)
    if not len(touched):
        return True
    dense = Q[touched][:, touched].toarray()
    return bool(np.linalg.eigvalsh(dense)[0] >= -_ROUNDING * np.abs(dense).max())
