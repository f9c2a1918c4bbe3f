"""The KKT system without its active constraints: the negative identity."""

from __future__ import annotations

from torch import Tensor


def unconstrained_adjoint(grad: Tensor, rho: Tensor | float) -> Tensor:
    """-g/rho: the adjoint of stationarity alone.

    Differentiating grad_x (theta'x + rho R(x)) = theta + rho (x - 1/2) = 0 gives dx/dtheta = -I/rho,
    whatever the feasible set: right for X = R^n only. It is the estimator -g of Sahoo et al. 2023
    (arXiv:2205.15213) up to the factor; the exact adjoint is -(1/rho) Pi g, Pi the projector on the
    minimal face. The part of -g/rho outside that face moves theta without moving x_rho.

    Args:
        grad: (batch, n). rho: (batch,) or a number, positive.
    """
    return -grad / (rho[:, None] if isinstance(rho, Tensor) and rho.ndim else rho)
