"""The penalty R(x) = 1/2 sum_i x_i (x_i - 1): 1-strongly convex, 0 on {0,1}^n, >= -n/8.

theta'x + rho R(x) = rho/2 ||x - (1/2 - theta/rho)||^2 + const, so its minimiser over X is the
projection of 1/2 - theta/rho.
"""

from __future__ import annotations

from torch import Tensor


def penalty(x: Tensor) -> Tensor:
    """R(x), (..., n) -> (...)."""
    return 0.5 * (x * (x - 1.0)).sum(-1)


def relaxed_objective(x: Tensor, theta: Tensor, rho: Tensor) -> Tensor:
    """theta'x + rho R(x), with rho (...) one number per instance."""
    return (theta * x).sum(-1) + rho * penalty(x)
