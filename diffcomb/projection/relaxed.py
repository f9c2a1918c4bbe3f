"""The relaxed decision and its adjoint: what every convex solver returns, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class RelaxedDecision:
    """x_rho(theta) = argmin over X of theta'x + (rho/2) ||x - 1/2||^2, and how to differentiate it.

    Attributes:
        x: (batch, n) float64.
        rho: (batch,) the penalty weight used.
        kkt_residual: (batch,) largest violation of stationarity, feasibility, sign and
            complementarity of the scaled problem (costs theta/rho, rows of unit norm).
        face_dimension: (batch,) int, dimension of the minimal face of X that holds x; 0 means that
            x is a vertex and the Jacobian exactly zero.
        active_rows: (batch,) int, inequality rows (G and lazy ones) that hold with equality there.
        iterations: (batch,) int, of the solver's own kind.
        adjoint: g (batch, n) -> (d x_rho / d theta)' g = -(1/rho) Pi g, Pi the orthogonal projector
            on the direction space of the minimal face. Symmetric, so it is the JVP as well.
    """

    x: Tensor
    rho: Tensor
    kkt_residual: Tensor
    face_dimension: Tensor
    active_rows: Tensor
    iterations: Tensor
    adjoint: Callable[[Tensor], Tensor]


class ConvexSolver(Protocol):
    """HOW x_rho is computed and differentiated. Built once per problem, called with many costs."""

    name: str

    def solve(self, theta: Tensor, rho: Tensor) -> RelaxedDecision:
        """theta (batch, n) float64, rho (batch,) float64 > 0, both on one device.

        Raises:
            SolveFailedError: some instance did not reach the residual the solver promises. Never a
                NaN, never a silently wrong x.
        """
        ...
