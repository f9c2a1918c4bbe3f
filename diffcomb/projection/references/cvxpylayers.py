"""Reference solver: cvxpylayers (Agrawal et al. 2019, arXiv:1910.12430), forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import MissingBackendError, SolveFailedError, UnsupportedError
from diffcomb.program import Program, UnitBox
from diffcomb.projection.projector import Projection
from diffcomb.projection.route import Route


class CvxpylayersProjector:
    """Projections and their derivative exactly as a cvxpylayers user gets them, no polish and no face.

    Args:
        program: X in [0, 1]^n, or [0, 0] where a coordinate is fixed; lazy rows are not supported.
        solver_args: passed to cvxpylayers; {} keeps its defaults (SCS).

    Raises:
        MissingBackendError: cvxpylayers is not installed. UnsupportedError: lazy rows.
    """

    name = "cvxpylayers"

    def __init__(self, program: Program, *, solver_args: dict[str, Any] | None = None) -> None:
        try:
            import cvxpy as cp
            from cvxpylayers.torch import CvxpyLayer
        except ImportError:
            raise MissingBackendError(
                "solver='cvxpylayers' needs cvxpylayers and diffcp: pip install 'diffcomb[references]'"
            ) from None
        if program.is_lazy:
            raise UnsupportedError("cvxpylayers cannot add rows on the way; use solver='kkt'.")
        self.program, self.box = program, UnitBox.unit(program.num_vars)
        self.solver_args = solver_args or {}
        x, target = cp.Variable(program.num_vars), cp.Parameter(program.num_vars)
        constraints = [x >= 0, x <= program.upper]
        if len(program.b):
            constraints.append(program.A.tocsc() @ x == program.b)
        if len(program.h):
            constraints.append(program.G.tocsc() @ x <= program.h)
        # as a user writes it: the squared norm expanded, so that the target enters linearly
        objective = cp.Minimize(0.5 * cp.sum_squares(x) - target @ x)
        self._layer = CvxpyLayer(cp.Problem(objective, constraints), parameters=[target], variables=[x])

    def project(self, target: Tensor, start: Tensor | None = None) -> Projection:
        device = target.device
        with torch.enable_grad():
            leaf = target.detach().cpu().double().clone().requires_grad_()
            (x,) = self._layer(leaf, solver_args=self.solver_args)
        if not bool(torch.isfinite(x).all()):
            raise SolveFailedError("cvxpylayers returned a NaN; use solver='kkt'.")

        def pull_back(grad: Tensor) -> Tensor:
            (pulled,) = torch.autograd.grad(x, leaf, grad.detach().cpu().double(), retain_graph=True)
            return pulled.to(device)

        A, G, upper = self.program.A, self.program.G, self.program.upper
        residual = [
            max(
                float(np.abs(A @ row - self.program.b).max(initial=0.0)),
                float((G @ row - self.program.h).max(initial=0.0)),
                float(np.abs(row - np.clip(row, 0, upper)).max(initial=0.0)),
            )
            for row in x.detach().numpy()
        ]
        unknown = torch.full((len(target),), -1, dtype=torch.long, device=device)
        return Projection(
            x=x.detach().to(device),
            residual=torch.tensor(residual, dtype=torch.float64, device=device),
            face_dimension=unknown,
            active_rows=unknown,
            iterations=unknown,
            pull_back=pull_back,
            route=Route.CVXPYLAYERS,
        )
