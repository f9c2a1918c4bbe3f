"""Reference solver: cvxpylayers (Agrawal et al. 2019, arXiv:1910.12430), forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import MissingBackendError, SolveFailedError, UnsupportedError
from diffcomb.problems import Problem
from diffcomb.projection.relaxed import RelaxedDecision


class CvxpylayersSolver:
    """x_rho and its adjoint exactly as a cvxpylayers user gets them, no polish and no face.

    Args:
        problem: gives the polytope; lazy rows are not supported.
        solver_args: passed to cvxpylayers; {} keeps its defaults (SCS).

    Raises:
        MissingBackendError: cvxpylayers is not installed. UnsupportedError: lazy rows.
    """

    name = "cvxpylayers"

    def __init__(self, problem: Problem, *, solver_args: dict[str, Any] | None = None) -> None:
        try:
            import cvxpy as cp
            from cvxpylayers.torch import CvxpyLayer
        except ImportError:
            raise MissingBackendError(
                "solver='cvxpylayers' needs cvxpylayers and diffcp: pip install 'diffcomb[references]'"
            ) from None
        polytope = problem.polytope()
        if polytope.is_lazy:
            raise UnsupportedError("cvxpylayers cannot add rows on the way; use solver='kkt'.")
        self.polytope = polytope
        self.solver_args = solver_args or {}
        x, cost = cp.Variable(polytope.num_vars), cp.Parameter(polytope.num_vars)
        constraints = [x >= 0, x <= 1]
        if len(polytope.b):
            constraints.append(polytope.A.tocsc() @ x == polytope.b)
        if len(polytope.h):
            constraints.append(polytope.G.tocsc() @ x <= polytope.h)
        program = cp.Problem(cp.Minimize(cost @ x + 0.5 * cp.sum_squares(x - 0.5)), constraints)
        self._layer = CvxpyLayer(program, parameters=[cost], variables=[x])

    def solve(self, theta: Tensor, rho: Tensor) -> RelaxedDecision:
        cost = (theta / rho[:, None]).detach().cpu().double()

        def project(cost: Tensor) -> Tensor:
            (found,) = self._layer(cost, solver_args=self.solver_args)
            return found

        with torch.enable_grad():
            leaf = cost.clone().requires_grad_()
            x = project(leaf)
        if not bool(torch.isfinite(x).all()):
            raise SolveFailedError("cvxpylayers returned a NaN; use solver='kkt'.")
        device = theta.device

        def adjoint(grad: Tensor) -> Tensor:
            (pulled,) = torch.autograd.grad(x, leaf, grad.detach().cpu().double(), retain_graph=True)
            return pulled.to(device) / rho[:, None]

        A, G = self.polytope.A, self.polytope.G
        residual = [
            max(
                float(np.abs(A @ row - self.polytope.b).max(initial=0.0)),
                float((G @ row - self.polytope.h).max(initial=0.0)),
                float(np.abs(row - np.clip(row, 0, 1)).max(initial=0.0)),
            )
            for row in x.detach().numpy()
        ]
        unknown = torch.full((len(theta),), -1, dtype=torch.long, device=device)
        return RelaxedDecision(
            x=x.detach().to(device),
            rho=rho,
            kkt_residual=torch.tensor(residual, dtype=torch.float64, device=device),
            face_dimension=unknown,
            active_rows=unknown,
            iterations=unknown,
            adjoint=adjoint,
        )
