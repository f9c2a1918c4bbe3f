"""Projections by general solvers from PyPI, made comparable: one interface, one dense adjoint.

A reference answers min 1/2 ||x - target||^2 over known rows with x and the multipliers of every inequality;
the face, the polish and the KKT check are done here, densely and independently of the compiled kernel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy import sparse
from scipy.optimize import nnls
from torch import Tensor

from diffcomb.errors import SolveFailedError
from diffcomb.program import Program, Rows, UnitBox
from diffcomb.projection.projector import Projection
from diffcomb.projection.references.face import face_projector_basis
from diffcomb.projection.route import Route
from diffcomb.projection.row_generation import generate_rows
from diffcomb.projection.row_pool import RowPool


@dataclass(frozen=True)
class PrimalDual:
    """x (n,); multipliers lower, upper (n,) of the box and rows (q,) of G x <= h; iterations."""

    x: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    rows: np.ndarray
    iterations: int


@dataclass(frozen=True)
class _Instance:
    """One solution; `places` of the lazy rows it was solved with, which it keeps all."""

    point: np.ndarray
    basis: np.ndarray
    residual: float
    active_rows: int
    iterations: int
    places: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    members: np.ndarray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))

    @property
    def face_dimension(self) -> int:
        return int(self.basis.shape[1])

    @property
    def x(self) -> np.ndarray:
        """(1, n)"""
        return self.point[None]

    def tight(self, _: int) -> np.ndarray:
        return self.places


class ReferenceProjector(ABC):
    """Projections one instance at a time, polished on the face that the multipliers identify.

    Args:
        program: X in [0, 1]^n, or [0, 0] where a coordinate is fixed.
        tolerance: largest scaled KKT residual accepted.
    """

    name: str
    route: Route

    def __init__(self, program: Program, *, tolerance: float = 1e-8) -> None:
        self.program, self.tolerance = program, tolerance
        self.box = UnitBox.unit(program.num_vars)

    @abstractmethod
    def minimize(self, program: Program, target: np.ndarray) -> PrimalDual:
        """min 1/2 ||x - target||^2 over the known rows and the box of `program`."""

    def project(self, target: Tensor, start: Tensor | None = None) -> Projection:
        solved = [self._project_one(t) for t in target.detach().cpu().numpy()]
        device = target.device

        def pull_back(grad: Tensor) -> Tensor:
            rows = [
                one.basis @ (one.basis.T @ g)
                for one, g in zip(solved, grad.detach().cpu().numpy(), strict=True)
            ]
            return torch.from_numpy(np.reshape(rows, grad.shape)).to(device)

        def whole(name: str) -> Tensor:
            return torch.tensor([getattr(one, name) for one in solved], dtype=torch.long, device=device)

        return Projection(
            x=torch.from_numpy(np.reshape([one.x for one in solved], target.shape)).to(device),
            residual=torch.tensor([one.residual for one in solved], dtype=torch.float64, device=device),
            face_dimension=whole("face_dimension"),
            active_rows=whole("active_rows"),
            iterations=whole("iterations"),
            pull_back=pull_back,
            route=self.route,
        )

    def _project_one(self, target: np.ndarray) -> _Instance:
        def solve(_: np.ndarray, carried: list[np.ndarray]) -> _Instance:
            (places,) = carried
            rows = Rows(sparse.csr_array(pool.rows.G[places]), pool.rows.h[places])
            return replace(self._solve_known_rows(self.program.with_rows(rows), target), places=places)

        if not self.program.is_lazy:
            return self._solve_known_rows(self.program, target)
        pool = RowPool(self.program.num_vars)
        (found,) = generate_rows(1, pool, solve, self.program.separate, lambda group, _: group)
        return found

    def _solve_known_rows(self, polytope: Program, target: np.ndarray) -> _Instance:
        found = self.minimize(polytope, target)
        x = np.clip(found.x, 0.0, polytope.upper)
        # strict complementarity: a bound or row is on the face when its multiplier exceeds its slack
        at_zero = found.lower > x
        at_one = found.upper > 1.0 - x
        slack = polytope.h - polytope.G @ x
        tight = found.rows > slack
        at_one &= polytope.upper > 0
        free = ~(at_zero | at_one) & (polytope.upper > 0)
        rows = np.vstack([polytope.A.toarray(), polytope.G[np.flatnonzero(tight)].toarray()])
        rhs = np.concatenate([polytope.b, polytope.h[tight]])
        while True:
            basis = face_projector_basis(rows, free)
            x = self._polish(target, rows, rhs, at_one, free, basis)
            # near a degenerate point a solver's accuracy cannot tell a zero from a small number, but the
            # projection on too large a face leaves the box there
            outside = free & ((x <= 1e-11) | (x >= 1 - 1e-11))
            if not outside.any():
                break
            free, at_one = free & ~outside, at_one | (outside & (x > 0.5))
        residual = _kkt_residual(polytope, target, x, tight, free)
        if not residual <= self.tolerance:
            raise SolveFailedError(
                f"{self.name}: KKT residual {residual:.1e} after polishing; use solver='kkt'."
            )
        return _Instance(x, basis, residual, int(tight.sum()), found.iterations)

    @staticmethod
    def _polish(
        target: np.ndarray,
        rows: np.ndarray,
        rhs: np.ndarray,
        at_one: np.ndarray,
        free: np.ndarray,
        basis: np.ndarray,
    ) -> np.ndarray:
        """Project the target on the affine hull of the identified face."""
        fixed = at_one.astype(np.float64)
        base = fixed.copy()
        base[free] = np.linalg.lstsq(rows[:, free], rhs - rows @ fixed, rcond=None)[0] if free.any() else 0
        return base + basis @ (basis.T @ (target - base))


def _kkt_residual(
    polytope: Program, target: np.ndarray, x: np.ndarray, tight: np.ndarray, free: np.ndarray
) -> float:
    """Largest violation over stationarity, primal feasibility and multiplier signs at x.

    Multipliers are recovered by non-negative least squares (Lawson & Hanson 1974).
    """
    gradient = x - target
    equalities, inequalities = polytope.A.toarray(), polytope.G[np.flatnonzero(tight)].toarray()
    identity = np.eye(len(x))
    fixed = polytope.upper == 0
    lower = identity[(~free & (x < 0.5)) | fixed]
    upper = identity[(~free & (x >= 0.5)) | fixed]
    # equality multipliers have no sign: each is the difference of two that have one
    normals = np.vstack([equalities, -equalities, inequalities, -lower, upper])
    if len(normals):
        multipliers, _ = nnls(normals.T, -gradient, maxiter=100 * len(normals))
        dual = float(np.abs(normals.T @ multipliers + gradient).max(initial=0.0))
    else:
        dual = float(np.abs(gradient).max(initial=0.0))
    primal = max(
        float(np.abs(polytope.A @ x - polytope.b).max(initial=0.0)),
        float((polytope.G @ x - polytope.h).max(initial=0.0)),
        float((-x).max(initial=0.0)),
        float((x - polytope.upper).max(initial=0.0)),
    )
    return max(dual, primal)
