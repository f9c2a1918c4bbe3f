"""backward="cg": the adjoint's linear system by conjugate gradients, without any factor."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from diffcomb.errors import SolveFailedError


def project_by_conjugate_gradients(
    J: sparse.csr_array, free: np.ndarray, active: np.ndarray, grad: np.ndarray, *, tolerance: float = 1e-13
) -> np.ndarray:
    """Pi g = D g - D J' v with (J D J') v = J D g, one matrix-vector product with J and J' a step.

    The system may be singular (dependent rows on a face): it is consistent, and conjugate gradients
    from 0 stay in its range (Hestenes & Stiefel 1952).

    Args:
        J: (m, n) rows of unit norm. free: (batch, n) bool. active: (batch, m) bool.
        grad: (batch, n).
        tolerance: on the residual, relative to the right-hand side.

    Raises:
        SolveFailedError: not converged after 4 m + 20 steps; backward="cholesky" is direct.
    """

    def normal(v: np.ndarray) -> np.ndarray:
        return ((J @ ((J.T @ v.T).T * free).T).T) * active

    masked = grad * free
    right = (J @ masked.T).T * active
    v, residual, direction = np.zeros_like(right), right.copy(), right.copy()
    square = (residual**2).sum(1)
    target = (tolerance * np.sqrt(square)) ** 2
    for _ in range(4 * J.shape[0] + 20):
        going = square > target
        if not going.any():
            return masked - (J.T @ v.T).T * free
        product = normal(direction)
        curvature = (direction * product).sum(1)
        step = np.where(going & (curvature > 0), square / np.where(curvature > 0, curvature, 1.0), 0.0)
        v += step[:, None] * direction
        residual -= step[:, None] * product
        new = (residual**2).sum(1)
        ratio = np.where(going & (square > 0), new / np.where(square > 0, square, 1.0), 0.0)
        direction = residual + ratio[:, None] * direction
        square = np.where(going, new, square)
    raise SolveFailedError('Conjugate gradients did not converge in the adjoint; use backward="cholesky".')
