"""The projector on the direction space of a face, densely: the reference for faster adjoints."""

from __future__ import annotations

import numpy as np


def face_projector_basis(rows: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Orthonormal basis Q (n, d) of {v : J v = 0, v_i = 0 where not free}; Pi = Q Q'.

    Args:
        rows: (k, n) the rows J active on the face (equalities and tight inequalities).
        free: (n,) bool, coordinates strictly inside the box on the face.
    """
    columns = np.flatnonzero(free)
    if len(columns) == 0:
        return np.zeros((rows.shape[1], 0))
    _, singular, right = np.linalg.svd(rows[:, columns], full_matrices=True)
    # relative rank decision at 1e-9: rows are 0-1 or of unit norm, so true singular values of a
    # face are far above it, and rounding far below
    rank = int((singular > 1e-9 * max(1.0, singular.max(initial=0.0))).sum())
    basis = np.zeros((rows.shape[1], len(columns) - rank))
    basis[columns] = right[rank:].T
    return basis
