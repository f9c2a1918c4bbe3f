"""solver="vertices": the relaxed decision over conv(Z) itself, with nothing but the exact oracle."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import SolveFailedError
from diffcomb.problems import Problem
from diffcomb.problems.safe_oracle import decide_safely
from diffcomb.projection.kernels.corral import reproject
from diffcomb.projection.relaxed import RelaxedDecision

#: largest duality gap, relative to the scale of theta / rho, at which a point is optimal
_TOLERANCE = 1e-13


class VerticesSolver:
    """Proj of 1/2 - theta/rho on conv(Z) by Wolfe's min-norm-point algorithm (1976).

    SparseMAP's method (Niculae et al. 2018): x is a convex combination of a few members of Z; each
    round asks the oracle for the member that improves most and re-projects on the affine hull of the
    members kept. No H-description is needed and conv(Z) is exact where the polytope is a relaxation.
    The adjoint is -(1/rho) P, P the projector on the span of the members' differences: the direction
    space of the minimal face for almost every theta.

    Small rho: 2 to 7 oracle calls. Large rho: up to hundreds; use "kkt" there.

    Args:
        problem: gives the oracle.
        oracle: which one.
        max_calls: oracle calls per instance before it gives up.
    """

    name = "vertices"

    def __init__(self, problem: Problem, *, oracle: str = "auto", max_calls: int = 2000) -> None:
        self.problem, self.oracle, self.max_calls = problem, oracle, max_calls

    def solve(self, theta: Tensor, rho: Tensor, start: Tensor | None = None) -> RelaxedDecision:
        """As `ConvexSolver.solve`.

        Args:
            start: (batch, n) members of Z to start from, z*(theta) where it is known: one oracle call
                less. Where rho <= rho_bar a single call is left, the proof. None asks the oracle.
        """
        costs = theta.detach().cpu()
        weight = rho.detach().cpu()
        asked = start is None
        members = decide_safely(self.problem, costs, self.oracle) if start is None else start.cpu().double()
        corrals = [
            _Corral(target, z, int(asked))
            for target, z in zip((0.5 - costs / weight[:, None]).numpy(), members.numpy(), strict=True)
        ]
        pending = list(range(len(corrals)))
        for _ in range(self.max_calls):
            if not pending:
                break
            # in units of rho the gradient of the projection is x - target
            gradients = torch.from_numpy(np.stack([corrals[k].x - corrals[k].target for k in pending]))
            found = decide_safely(self.problem, gradients, self.oracle).numpy()
            pending = [k for k, z in zip(pending, found, strict=True) if not corrals[k].improve(z)]
        if pending:
            raise SolveFailedError(
                f"{len(pending)} relaxed decisions took more than {self.max_calls} oracle calls;"
                " use solver='kkt' or a smaller rho."
            )
        bases = [corral.basis() for corral in corrals]
        device = theta.device

        def adjoint(grad: Tensor) -> Tensor:
            pulled = [Q @ (Q.T @ g) for Q, g in zip(bases, grad.detach().cpu().numpy(), strict=True)]
            return -torch.from_numpy(np.stack(pulled)).to(device) / rho[:, None]

        def per_instance(values: list[float], dtype: torch.dtype) -> Tensor:
            return torch.tensor(values, dtype=dtype, device=device)

        return RelaxedDecision(
            x=torch.from_numpy(np.stack([corral.x for corral in corrals])).to(device),
            rho=rho,
            kkt_residual=per_instance([corral.gap for corral in corrals], torch.float64),
            face_dimension=per_instance([Q.shape[1] for Q in bases], torch.long),
            active_rows=torch.zeros(len(corrals), dtype=torch.long, device=device),
            iterations=per_instance([corral.calls for corral in corrals], torch.long),
            adjoint=adjoint,
        )


class _Corral:
    """Affinely independent members of Z with the projection x of `target` inside their hull."""

    def __init__(self, target: np.ndarray, start: np.ndarray, calls: int) -> None:
        self.target, self.calls = np.ascontiguousarray(target), calls
        self.x = start.copy()
        self.gap = np.inf
        self.scale = max(1.0, float(np.abs(self.target).max()))
        self._count, n = 1, len(start)
        self._members, self._weights = np.empty((8, n)), np.zeros(8)
        self._Q, self._R = np.empty((8, n)), np.zeros((8, 8))
        self._members[0], self._weights[0] = start, 1.0

    def _double(self) -> None:
        """Room for twice as many members, at most n + 1 of which are independent."""
        had = self._count
        self._members = np.concatenate([self._members, np.empty_like(self._members)])
        self._Q = np.concatenate([self._Q, np.empty_like(self._Q)])
        self._weights = np.concatenate([self._weights, np.zeros(had)])
        self._R = np.pad(self._R, (0, had))

    def improve(self, z: np.ndarray) -> bool:
        """Take in the oracle's answer z; True when x was optimal already."""
        self.calls += 1
        gap = float((self.x - self.target) @ (self.x - z)) / (self.scale * max(1.0, self.x.sum()))
        self.gap = max(gap, 0.0)
        if gap <= _TOLERANCE:
            return True
        if self._count == len(self._members):
            self._double()
        self._members[self._count], self._weights[self._count] = z, 0.0
        affine = np.empty(len(self._weights))
        left = reproject(
            self._members, self._weights, affine, self._count + 1, self.target, self._Q, self._R, self.x
        )
        if left < 0:
            # a member of the hull already: rounding, or an oracle that is not exact
            if gap <= 1e3 * _TOLERANCE:
                return True
            raise SolveFailedError("The oracle repeats itself without closing the gap; is it exact?")
        self._count = left
        return False

    def basis(self) -> np.ndarray:
        """Orthonormal basis (n, d) of the span of the members' differences."""
        return self._Q[: self._count - 1].T
