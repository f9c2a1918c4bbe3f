"""Reference solver: PIQP, one instance at a time, polished on the identified face.

Independent of the compiled kernel: a general interior-point solver from PyPI, a dense face
projector. Lazy rows are added by an outer separate-and-resolve loop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import piqp
import torch
from scipy import sparse
from scipy.optimize import nnls
from torch import Tensor

from diffcomb.errors import SolveFailedError
from diffcomb.problems import Polytope, Problem
from diffcomb.reformulation.face import face_projector_basis
from diffcomb.reformulation.relaxed import RelaxedDecision


@dataclass(frozen=True)
class _Instance:
    x: np.ndarray
    basis: np.ndarray
    residual: float
    active_rows: int
    iterations: int


class PIQPSolver:
    """x_rho by PIQP (Schwan et al. 2023, arXiv:2304.00290) with a dense adjoint.

    Args:
        problem: gives the polytope.
        tolerance: largest scaled KKT residual accepted.
    """

    name = "piqp"

    def __init__(self, problem: Problem, *, tolerance: float = 1e-8) -> None:
        self.polytope = problem.polytope()
        self.tolerance = tolerance

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

    def _solve_known_rows(self, polytope: Polytope, cost: np.ndarray) -> _Instance:
        """min cost'x + 1/2 ||x - 1/2||^2 over the rows known so far."""
        n = polytope.num_vars
        solver = piqp.SparseSolver()
        solver.settings.eps_abs = solver.settings.eps_rel = 1e-12
        solver.settings.check_duality_gap = True
        solver.settings.eps_duality_gap_abs = solver.settings.eps_duality_gap_rel = 1e-12
        A = sparse.csc_matrix(polytope.A) if len(polytope.b) else None
        G = sparse.csc_matrix(polytope.G) if len(polytope.h) else None
        solver.setup(
            sparse.eye(n, format="csc"),
            cost - 0.5,
            A,
            polytope.b if A is not None else None,
            G,
            None,
            polytope.h if G is not None else None,
            np.zeros(n),
            np.ones(n),
        )
        status = solver.solve()
        if "SOLVED" not in str(status) and "MAX_ITER" not in str(status):
            raise SolveFailedError(f"PIQP stopped with {status}; use solver='kkt'.")
        result = solver.result
        x = np.clip(np.asarray(result.x), 0.0, 1.0)
        # strict complementarity: a bound or row is on the face when its multiplier exceeds its slack
        at_zero = np.asarray(result.z_bl) > x
        at_one = np.asarray(result.z_bu) > 1.0 - x
        slack = polytope.h - polytope.G @ x
        tight = np.asarray(result.z_u)[: len(slack)] > slack if len(slack) else np.zeros(0, bool)
        free = ~(at_zero | at_one)
        rows = np.vstack([polytope.A.toarray(), polytope.G[np.flatnonzero(tight)].toarray()])
        rhs = np.concatenate([polytope.b, polytope.h[tight]])
        while True:
            basis = face_projector_basis(rows, free)
            x = self._polish(cost, rows, rhs, at_one, free, basis)
            # near a degenerate point PIQP's accuracy cannot tell a zero from a small number, but the
            # projection on too large a face leaves the box there
            outside = free & ((x <= 1e-11) | (x >= 1 - 1e-11))
            if not outside.any():
                break
            free, at_one = free & ~outside, at_one | (outside & (x > 0.5))
        residual = _kkt_residual(polytope, cost, x, tight, free)
        if not residual <= self.tolerance:
            raise SolveFailedError(
                f"PIQP's solution has a KKT residual of {residual:.1e} after polishing; use solver='kkt'."
            )
        return _Instance(x, basis, residual, int(tight.sum()), int(result.info.iter))

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
    polytope: Polytope, cost: np.ndarray, x: np.ndarray, tight: np.ndarray, free: np.ndarray
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
