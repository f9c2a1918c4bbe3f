"""What a user would write without us, for `benchmarks.layer`: a loop over PIQP, and qpth.

Both minimise cost'x + 1/2 ||x - 1/2||^2 over the known rows of a polytope and differentiate it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import piqp
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.program import Program

HAS_QPTH = find_spec("qpth") is not None


class PiqpLoop:
    """One PIQP solve an instance (set up once, a new cost each time), and its adjoint in NumPy.

    Free coordinates and tight rows are read off the multipliers; the adjoint solves the dense normal
    equations of that face. No polish and no check: the leanest loop that gives a gradient.
    """

    def __init__(self, polytope: Program) -> None:
        self.solver = piqp.SparseSolver()
        self.solver.settings.eps_abs = self.solver.settings.eps_rel = 1e-9
        n, self.h = polytope.num_vars, polytope.h
        self.A, self.G = polytope.A.toarray(), polytope.G.toarray()
        has_A, has_G = len(polytope.b) > 0, len(self.h) > 0
        self.solver.setup(
            sparse.eye(n, format="csc"),
            np.zeros(n),
            sparse.csc_matrix(polytope.A) if has_A else None,
            polytope.b if has_A else None,
            sparse.csc_matrix(polytope.G) if has_G else None,
            None,
            self.h if has_G else None,
            np.zeros(n),
            np.ones(n),
        )

    def minimize(self, cost: np.ndarray) -> np.ndarray:
        """x (n,) alone."""
        self.solver.update(c=cost - 0.5)
        self.solver.solve()
        return np.asarray(self.solver.result.x)

    def forward(self, costs: np.ndarray) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
        """x (batch, n), and free coordinates and tight rows of each instance."""
        x, faces = np.empty_like(costs), []
        for k, cost in enumerate(costs):
            x[k] = self.minimize(cost)
            result = self.solver.result
            free = (np.asarray(result.z_bl) < x[k]) & (np.asarray(result.z_bu) < 1 - x[k])
            tight = (
                np.asarray(result.z_u) > self.h - self.G @ x[k] if len(self.h) else np.zeros(0, dtype=bool)
            )
            faces.append((free, tight))
        return x, faces

    def backward(self, faces: list[tuple[np.ndarray, np.ndarray]], grad: np.ndarray) -> np.ndarray:
        """-Pi g (batch, n)."""
        out = np.zeros_like(grad)
        for k, (free, tight) in enumerate(faces):
            J, g = np.vstack([self.A, self.G[tight]])[:, free], grad[k, free]
            M = J @ J.T + 1e-12 * np.eye(len(J))
            out[k, free] = J.T @ np.linalg.solve(M, J @ g) - g
        return out


class _Piqp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, cost: Tensor, loop: PiqpLoop) -> Tensor:
        x, faces = loop.forward(cost.detach().numpy())
        ctx.loop, ctx.faces = loop, faces
        return torch.from_numpy(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return torch.from_numpy(ctx.loop.backward(ctx.faces, grads[0].numpy())), None


def piqp_layer(polytope: Program) -> Callable[[Tensor], Tensor]:
    """theta / rho -> x, differentiable."""
    loop = PiqpLoop(polytope)
    return lambda cost: _Piqp.apply(cost, loop)


def qpth_layer(polytope: Program) -> Callable[[Tensor], Tensor]:
    """theta / rho -> x, differentiable; the box becomes rows of G, as qpth knows no bounds."""
    from qpth.qp import QPFunction

    n = polytope.num_vars
    eye = np.eye(n)
    G = torch.from_numpy(np.vstack([polytope.G.toarray(), eye, -eye]))
    h = torch.from_numpy(np.concatenate([polytope.h, np.ones(n), np.zeros(n)]))
    A = torch.from_numpy(polytope.A.toarray()) if len(polytope.b) else torch.zeros(0, dtype=torch.float64)
    b = torch.from_numpy(polytope.b) if len(polytope.b) else torch.zeros(0, dtype=torch.float64)
    Q = torch.eye(n, dtype=torch.float64)
    solve = QPFunction(verbose=-1)
    return lambda cost: solve(Q, cost - 0.5, G, h, A, b)
