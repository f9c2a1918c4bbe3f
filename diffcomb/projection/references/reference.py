"""Forward solves by general solvers from PyPI, made comparable: one interface, one dense adjoint.

A reference answers min cost'x + 1/2 ||x - 1/2||^2 over known rows with x and the multipliers of every
inequality; the face, the polish and the KKT check are done here, densely and independently of the
compiled kernel. Lazy rows are added by an outer separate-and-resolve loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from diffcomb.errors import SolveFailedError
from diffcomb.problems import Problem
from diffcomb.program import Program
from diffcomb.projection.references.face import face_projector_basis
from diffcomb.projection.relaxed import RelaxedDecision


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
    x: np.ndarray
    basis: np.ndarray
    residual: float
    active_rows: int
    iterations: int


class ReferenceSolver(ABC):
    """x_rho one instance at a time, polished on the face that the multipliers identify.

    Args:
        problem: gives the polytope.
        tolerance: largest scaled KKT residual accepted.
    """

    name: str

    def __init__(self, problem: Problem, *, tolerance: float = 1e-8) -> None:
        self.polytope = problem.polytope()
        self.tolerance = tolerance

    @abstractmethod
    def minimize(self, polytope: Program, cost: np.ndarray) -> PrimalDual:
        """min cost'x + 1/2 ||x - 1/2||^2 over the known rows of `polytope`."""

    def solve(self, theta: Tensor, rho: Tensor) -> RelaxedDecision:
        costs = (theta / rho[:, None]).detach().cpu().numpy()
        solved = [self._solve_one(cost) for cost in costs]
        device = theta.device

        def adjoint(grad: Tensor) -> Tensor:
            rows = [
                torch.from_numpy(one.basis @ (one.basis.T @ g))
                for one, g in zip(solved, grad.detach().cpu().numpy(), strict=True)
            ]
            return -torch.stack(rows).to(device) / rho[:, None]

        return RelaxedDecision(
            x=torch.from_numpy(np.stack([one.x for one in solved])).to(device),
            rho=rho,
            kkt_residual=torch.tensor([one.residual for one in solved], dtype=torch.float64, device=device),
            face_dimension=torch.tensor([one.basis.shape[1] for one in solved], device=device),
            active_rows=torch.tensor([one.active_rows for one in solved], device=device),
            iterations=torch.tensor([one.iterations for one in solved], device=device),
            adjoint=adjoint,
        )

    def _solve_one(self, cost: np.ndarray) -> _Instance:
        polytope = self.polytope
        while True:
            one = self._solve_known_rows(polytope, cost)
            violated = polytope.separate(one.x)
            if not len(violated):
                return one
            polytope = polytope.with_rows(violated)

    def _solve_known_rows(self, polytope: Program, cost: np.ndarray) -> _Instance:
        found = self.minimize(polytope, cost)
        x = np.clip(found.x, 0.0, 1.0)
        # strict complementarity: a bound or row is on the face when its multiplier exceeds its slack
        at_zero = found.lower > x
        at_one = found.upper > 1.0 - x
        slack = polytope.h - polytope.G @ x
        tight = found.rows > slack
        free = ~(at_zero | at_one)
        rows = np.vstack([polytope.A.toarray(), polytope.G[np.flatnonzero(tight)].toarray()])
        rhs = np.concatenate([polytope.b, polytope.h[tight]])
        while True:
            basis = face_projector_basis(rows, free)
            x = self._polish(cost, rows, rhs, at_one, free, basis)
            # near a degenerate point a solver's accuracy cannot tell a zero from a small number, but the
            # projection on too large a face leaves the box there
            outside = free & ((x <= 1e-11) | (x >= 1 - 1e-11))
            if not outside.any():
                break
            free, at_one = free & ~outside, at_one | (outside & (x > 0.5))
        residual = _kkt_residual(polytope, cost, x, tight, free)
        if not residual <= self.tolerance:
            raise SolveFailedError(
                f"{self.name}: KKT residual {residual:.1e} after polishing; use solver='kkt'."
            )
        return _Instance(x, basis, residual, int(tight.sum()), found.iterations)

    @staticmethod
    def _polish(
        cost: np.ndarray,
        rows: np.ndarray,
        rhs: np.ndarray,
        at_one: np.ndarray,
        free: np.ndarray,
        basis: np.ndarray,
    ) -> np.ndarray:
        """Project 1/2 - cost on the affine hull of the identified face."""
        fixed = at_one.astype(np.float64)
        base = fixed.copy()
        base[free] = np.linalg.lstsq(rows[:, free], rhs - rows @ fixed, rcond=None)[0] if free.any() else 0
        return base + basis @ (basis.T @ (0.5 - cost - base))


def _kkt_residual(
    polytope: Program, cost: np.ndarray, x: np.ndarray, tight: np.ndarray, free: np.ndarray
) -> float:
    """Largest violation over stationarity, primal feasibility and multiplier signs at x.

    Multipliers are recovered by non-negative least squares (Lawson & Hanson 1974).
    """
    gradient = cost + x - 0.5
    equalities, inequalities = polytope.A.toarray(), polytope.G[np.flatnonzero(tight)].toarray()
    identity = np.eye(len(x))
    lower, upper = identity[~free & (x < 0.5)], identity[~free & (x >= 0.5)]
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
        float((x - 1).max(initial=0.0)),
    )
    return max(dual, primal)
