"""The route "vertices": the projection on conv(Z) itself, with nothing but the exact oracle."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import SolveFailedError
from diffcomb.program import UnitBox
from diffcomb.projection.kernels.corral import Corral, reproject
from diffcomb.projection.projector import Projection
from diffcomb.projection.route import Route

#: largest duality gap, relative to the scale of the target, at which a point is optimal
_TOLERANCE = 1e-13


class VerticesProjector:
    """Projections on conv(Z) by Wolfe's min-norm-point algorithm (1976).

    SparseMAP's method (Niculae et al. 2018): x is a convex combination of a few members of Z; each
    round asks the oracle for the member that improves most and re-projects on the affine hull of the
    members kept. No H-description is needed and conv(Z) is exact where the polytope is a relaxation.
    The pull-back is the projector on the span of the members' differences: the direction
    space of the minimal face for almost every target.

    Targets far away (small rho): 2 to 7 oracle calls. Near ones: up to hundreds; use "kkt" there.

    Args:
        decide: costs (batch, n) -> members of Z that minimise them, exactly.
        box: contains Z; members are projected in its unit coordinates.
        max_calls: oracle calls per instance before it gives up.
    """

    name = "vertices"

    def __init__(self, decide: Callable[[Tensor], Tensor], box: UnitBox, *, max_calls: int = 2000) -> None:
        self.decide, self.box, self.max_calls = decide, box, max_calls

    def project(self, target: Tensor, start: Tensor | None = None) -> Projection:
        """As `Projector.project`.

        Args:
            start: (batch, n) members of Z to start from: one oracle call less. Where the projection is
                one of them a single call is left, the proof. None asks the oracle.
        """
        targets = self.box.coordinates(target.detach().cpu().numpy())
        asked = start is None
        members = self._members(0.5 - targets) if start is None else start.detach().cpu().double().numpy()
        corrals = [
            _Corral(t, z, int(asked)) for t, z in zip(targets, self.box.coordinates(members), strict=True)
        ]
        pending = list(range(len(corrals)))
        for _ in range(self.max_calls):
            if not pending:
                break
            found = self._members(np.stack([corrals[k].x - corrals[k].target for k in pending]))
            answers = zip(pending, self.box.coordinates(found), strict=True)
            pending = [k for k, z in answers if not corrals[k].improve(z)]
        if pending:
            raise SolveFailedError(
                f"{len(pending)} relaxed decisions took more than {self.max_calls} oracle calls;"
                " use solver='kkt' or a smaller rho."
            )
        return self._projection(corrals, target)

    def _members(self, slopes: np.ndarray) -> np.ndarray:
        """Members of Z that minimise slopes (batch, n), given in unit coordinates."""
        costs = slopes if self.box.is_identity else slopes * self.box.inverse_width
        return self.decide(torch.from_numpy(costs)).numpy()

    def _projection(self, corrals: list[_Corral], target: Tensor) -> Projection:
        device, bases = target.device, [corral.basis() for corral in corrals]
        width, inverse = self.box.width, self.box.inverse_width

        def pull_back(grad: Tensor) -> Tensor:
            inner = grad.detach().cpu().numpy() * width
            pulled = [Q @ (Q.T @ g) for Q, g in zip(bases, inner, strict=True)]
            return torch.from_numpy(np.reshape(pulled, grad.shape) * inverse).to(device)

        def per_instance(values: list[float], dtype: torch.dtype) -> Tensor:
            return torch.tensor(values, dtype=dtype, device=device)

        x = np.reshape([corral.x for corral in corrals], target.shape)
        return Projection(
            x=torch.from_numpy(self.box.points(x)).to(device),
            residual=per_instance([corral.gap for corral in corrals], torch.float64),
            face_dimension=per_instance([Q.shape[1] for Q in bases], torch.long),
            active_rows=torch.zeros(len(corrals), dtype=torch.long, device=device),
            iterations=per_instance([corral.calls for corral in corrals], torch.long),
            pull_back=pull_back,
            route=Route.VERTICES,
        )


class _Corral:
    """Affinely independent members of Z with the projection x of `target` inside their hull."""

    def __init__(self, target: np.ndarray, start: np.ndarray, calls: int) -> None:
        self.target, self.calls = np.ascontiguousarray(target), calls
        self.x = start.copy()
        self.gap = np.inf
        self.scale = max(1.0, float(np.abs(self.target).max(initial=0.0)))
        self._count = 1
        self._kept = Corral.of(8, len(start))
        self._kept.members[0], self._kept.weights[0] = start, 1.0

    def improve(self, z: np.ndarray) -> bool:
        """Take in the oracle's answer z; True when x was optimal already."""
        self.calls += 1
        size = max(1.0, float(np.abs(self.x).sum()))
        gap = float((self.x - self.target) @ (self.x - z)) / (self.scale * size)
        self.gap = max(gap, 0.0)
        if gap <= _TOLERANCE:
            return True
        if self._count == len(self._kept.members):
            self._kept = self._kept.doubled()
        self._kept.members[self._count], self._kept.weights[self._count] = z, 0.0
        left = reproject(self._kept, self._count + 1, self.target, self.x)
        if left < 0:
            # a member of the hull already: rounding, or an oracle that is not exact
            if gap <= 1e3 * _TOLERANCE:
                return True
            raise SolveFailedError("The oracle repeats itself without closing the gap; is it exact?")
        self._count = left
        return False

    def basis(self) -> np.ndarray:
        """Orthonormal basis (n, d) of the span of the members' differences."""
        return self._kept.Q[: self._count - 1].T
