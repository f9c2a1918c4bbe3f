"""The primitive: the projection on a bounded polytope, and its derivative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from diffcomb.program import UnitBox


@dataclass(frozen=True)
class Projection:
    """x = argmin over X of 1/2 (x - t)'W (x - t), W = diag(1 / width^2), of each target t.

    width = upper - lower, so that every coordinate counts alike whatever its unit; for 0-1 variables W = I.

    Attributes:
        x: (batch, n) float64, on the device of the targets.
        residual: (batch,) largest violation of stationarity, feasibility, sign and complementarity, in
            unit coordinates, rows of unit norm.
        face_dimension: (batch,) int, dimension of the minimal face of X that holds x; 0: a vertex, where
            the Jacobian is exactly zero.
        active_rows: (batch,) int, inequality rows (G and lazy ones) that hold with equality.
        iterations: (batch,) int, of the projector's own kind.
        pull_back: g (batch, n) -> (dx/dt)'g = W^1/2 P W^-1/2 g, P the orthogonal projector on the
            direction space of the minimal face in unit coordinates.
        route: which engine did it.
    """

    x: Tensor
    residual: Tensor
    face_dimension: Tensor
    active_rows: Tensor
    iterations: Tensor
    pull_back: Callable[[Tensor], Tensor]
    route: str


class Projector(Protocol):
    """HOW a projection is computed and differentiated. Built once per program, called with many targets."""

    name: str

    @property
    def box(self) -> UnitBox: ...

    def project(self, target: Tensor, start: Tensor | None = None) -> Projection:
        """target (batch, n) float64.

        Args:
            start: (batch, n) members of Z that minimise the costs behind the targets, where they are
                known; engines that cannot use them do without.

        Raises:
            SolveFailedError: some instance did not reach the residual the projector promises. Never a
                NaN, never a silently wrong x.
        """
        ...
