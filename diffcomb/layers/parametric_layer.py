"""theta, A, b, G, h -> x_rho: the relaxed decision with uncertain rows (weights, resources)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from diffcomb.errors import InvalidCostsError, UnsupportedError
from diffcomb.layers.rho import FixedRho, ShareController
from diffcomb.problems import Problem
from diffcomb.projection.predicted_rows import ParametricProjection


class _Project(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, theta: Tensor, rho: Tensor, J: Tensor, r: Tensor, num_equalities: int) -> Tensor:
        arrays = [t.detach().cpu().double().numpy() for t in (0.5 - theta / rho[:, None], J, r)]
        projection = ParametricProjection(num_equalities, arrays[1], arrays[2])
        solved = projection.solve(np.ascontiguousarray(arrays[0]))
        ctx.projection, ctx.solved, ctx.rho = projection, solved, rho
        return torch.from_numpy(solved.x).to(theta.device, theta.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, Tensor, Tensor, None]:
        (grad,) = grads
        found = ctx.projection.gradients(ctx.solved, grad.detach().cpu().double().numpy())
        cost, rows, rhs = (
            torch.from_numpy(v).to(grad.device, grad.dtype) for v in (found.target, found.rows, found.rhs)
        )
        return -cost / ctx.rho.to(grad)[:, None], None, rows, rhs, None


class ParametricLayer(nn.Module):
    """x_rho(theta; A, b, G, h), differentiable in every argument.

    For predicted weights, capacities or demands: a resource row whose right-hand side is an output of
    the model gets a gradient like a cost does. Arguments left out are the problem's own. The decision
    is the relaxed one. Differentiable once: a second backward pass raises.

    Args:
        problem: gives the polytope, without lazy rows.
        rho: as in DecisionLayer; "auto" is mean|theta| here.

    Raises:
        UnsupportedError: the polytope has lazy rows.
    """

    A: Tensor
    b: Tensor
    G: Tensor
    h: Tensor

    def __init__(self, problem: Problem, rho: float | Tensor | str = "auto") -> None:
        super().__init__()
        polytope = problem.polytope()
        if polytope.is_lazy:
            raise UnsupportedError(f"{type(problem).__name__} has lazy rows, which have no gradients here.")
        self.problem = problem
        self.rho = ShareController().eval() if isinstance(rho, str) else FixedRho(rho)
        for name, value in (
            ("A", polytope.A.toarray()),
            ("b", polytope.b),
            ("G", polytope.G.toarray()),
            ("h", polytope.h),
        ):
            self.register_buffer(name, torch.tensor(value, dtype=torch.float64))

    def forward(
        self,
        theta: Tensor,
        *,
        A: Tensor | None = None,
        b: Tensor | None = None,
        G: Tensor | None = None,
        h: Tensor | None = None,
    ) -> Tensor:
        """theta (batch, n); A (p, n), b (p,), G (q, n), h (q,), each shared or with a leading batch.

        Returns:
            (batch, n), dtype and device of theta.

        Raises:
            SolveFailedError: an instance is infeasible, or has no interior or dependent equations.
        """
        self.problem.check_costs(theta)
        if theta.ndim != 2:
            raise InvalidCostsError("ParametricLayer takes costs of shape (batch, n).")
        batch, n = theta.shape

        def full(value: Tensor | None, default: Tensor, shape: tuple[int, ...]) -> Tensor:
            value = default if value is None else value
            try:
                return value.to(theta).expand(batch, *shape)
            except RuntimeError:
                raise InvalidCostsError(
                    f"Row values must have shape {shape} or {(batch, *shape)}, got {tuple(value.shape)}."
                ) from None

        p, q = len(self.b), len(self.h)
        J = torch.cat([full(A, self.A, (p, n)), full(G, self.G, (q, n))], dim=1)
        r = torch.cat([full(b, self.b, (p,)), full(h, self.h, (q,))], dim=1)
        rho = self.rho.rho(self.problem.cost_scale(theta.detach().double()))
        out: Tensor = _Project.apply(theta, rho, J, r, p)
        return out
