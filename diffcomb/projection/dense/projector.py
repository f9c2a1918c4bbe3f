"""The mathematics of the compiled projector as batched dense torch, for GPUs and as a test oracle.

Shares the presolve and the loop over lazy rows with CompiledProjector, and no numerical code: dense J,
equilibrated Cholesky in the interior point, an eigendecomposition of J D J' on the face. Targets, points,
faces and gradients stay on their device; only points that lazy rows are separated from visit the CPU.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.program import Program, Rows, UnitBox
from diffcomb.projection.dense.interior_point import DenseSystem, interior_point
from diffcomb.projection.dense.polish import face_inverse, polish
from diffcomb.projection.kernels.batch import ACCEPTED
from diffcomb.projection.known_rows import refuse_failures
from diffcomb.projection.normal_system import NormalSystem
from diffcomb.projection.presolve import Presolved
from diffcomb.projection.projector import Projection
from diffcomb.projection.route import Route
from diffcomb.projection.row_generation import generate_rows
from diffcomb.projection.row_pool import RowPool

_NOTHING = np.zeros(0, dtype=np.int64)
#: systems kept on a device: one per set of lazy rows met lately
_MOST_SYSTEMS = 4


@dataclass(frozen=True)
class _Dense:
    """Some instances, solved over the rows of `system`, the last of which are the pool's `places`."""

    members: np.ndarray
    system: DenseSystem
    source: np.ndarray
    places: np.ndarray
    points: Tensor
    face: Tensor
    active: Tensor
    residual: Tensor
    dimension: Tensor
    iterations: Tensor

    @property
    def x(self) -> np.ndarray:
        """On the CPU, where lazy rows are separated."""
        return self.points.cpu().numpy()

    def tight(self, instance: int) -> np.ndarray:
        shared = len(self.source) - len(self.places)
        lazy = self.source[self.active[instance].cpu().numpy()] - shared
        return self.places[np.sort(lazy[lazy >= 0])]

    def subset(self, rows: np.ndarray) -> _Dense:
        index = torch.from_numpy(rows).to(self.points.device)
        names = ("points", "face", "active", "residual", "dimension", "iterations")
        own = [getattr(self, name)[index] for name in names]
        return _Dense(self.members[rows], self.system, self.source, self.places, *own)

    def pull_back(self, g: Tensor) -> Tensor:
        """P g (batch, n)."""
        J, free, on = self.system.J, (self.face == 0).double(), self.active.double()
        freed = g * free
        inverse, _ = face_inverse(J, free, on)
        v = (inverse @ ((freed @ J.T) * on)[:, :, None])[:, :, 0]
        out = freed - (v @ J) * free
        small = out.abs() <= 1e-12 * g.abs().amax(1, keepdim=True)
        return torch.where(small | (self.dimension == 0)[:, None], 0.0, out)


class DenseProjector:
    """Projections in [0, 1]^n by batched torch on the device of the targets: O(batch m^2 n) an iteration.

    Args:
        program: X in [0, 1]^n.

    Raises:
        InfeasibleError: the polytope is empty.
    """

    name = "kkt_torch"

    def __init__(self, program: Program) -> None:
        self.program = program
        self.box = UnitBox.unit(program.num_vars)
        self.presolved = Presolved.of(program)
        self.pool = RowPool(self.presolved.polytope.num_vars)
        self._systems: OrderedDict[tuple[torch.device, bytes], tuple[DenseSystem, np.ndarray]] = OrderedDict()
        self._lock = threading.Lock()

    def project(self, target: Tensor, start: Tensor | None = None) -> Projection:
        target, device = target.detach(), target.device
        whole, value = self.presolved.is_whole, torch.from_numpy(self.presolved.value).to(device)
        kept = torch.from_numpy(np.flatnonzero(self.presolved.kept)).to(device)
        with self._lock:
            groups = self._solve(target if whole else target[:, kept])
        order = np.argsort(np.concatenate([group.members for group in groups]), kind="stable")
        back = torch.from_numpy(order).to(device)
        rows = [torch.from_numpy(group.members).to(device) for group in groups]

        def joined(name: str) -> Tensor:
            parts = [getattr(group, name) for group in groups]
            return parts[0] if len(parts) == 1 else torch.cat(parts)[back]

        def full(inner: Tensor, base: Tensor) -> Tensor:
            if whole:
                return inner
            out = base.expand(len(inner), -1).clone()
            out[:, kept] = inner
            return out

        def pull_back(grad: Tensor) -> Tensor:
            inner = grad.detach().to(device)
            inner = inner if whole else inner[:, kept]
            pulled = torch.empty_like(inner)
            for group, own in zip(groups, rows, strict=True):
                pulled[own] = group.pull_back(inner[own])
            return full(pulled, torch.zeros_like(value))

        inequality = [(group.active & group.system.inequality).sum(1) for group in groups]
        return Projection(
            x=full(joined("points"), value),
            residual=joined("residual"),
            face_dimension=joined("dimension"),
            active_rows=inequality[0] if len(groups) == 1 else torch.cat(inequality)[back],
            iterations=joined("iterations"),
            pull_back=pull_back,
            route=Route.TORCH,
        )

    def _solve(self, inner: Tensor) -> list[_Dense]:
        """Groups over the presolved coordinates, one per set of rows."""

        def solve(members: np.ndarray, carried: list[np.ndarray]) -> _Dense:
            # one J for the batch: every instance takes the rows of all
            places = np.unique(np.concatenate([_NOTHING, *carried]))
            rows = torch.from_numpy(members).to(inner.device)
            return self._solve_known_rows(inner[rows], members, places)

        if not self.program.is_lazy:
            return [solve(np.arange(len(inner)), [])]
        return generate_rows(
            len(inner), self.pool, solve, self._separate, lambda group, places: group.subset(places)
        )

    def _separate(self, x: np.ndarray) -> Rows:
        return self.presolved.restrict(self.program.separate(self.presolved.full(x[None])[0]))

    def _system(self, places: np.ndarray, device: torch.device) -> tuple[DenseSystem, np.ndarray]:
        """The rows known and those at `places` of the pool, on `device`, with their order."""
        extra = Rows(sparse.csr_array(self.pool.rows.G[places]), self.pool.rows.h[places])
        key = (device, extra.G.indices.tobytes() + extra.G.data.tobytes() + extra.h.tobytes())
        if key not in self._systems:
            polytope = self.presolved.polytope
            system = NormalSystem.of(polytope.with_rows(extra) if len(places) else polytope)
            arrays = (system.matrix.toarray(), system.rhs, system.is_inequality)
            dense = DenseSystem(*(torch.from_numpy(array).to(device) for array in arrays))
            self._systems[key] = dense, system.source
            while len(self._systems) > _MOST_SYSTEMS:
                self._systems.popitem(last=False)
        self._systems.move_to_end(key)
        return self._systems[key]

    def _solve_known_rows(self, p: Tensor, members: np.ndarray, places: np.ndarray) -> _Dense:
        system, source = self._system(places, p.device)
        batch, m = len(p), len(system.r)
        x = torch.zeros_like(p)
        face = torch.zeros(p.shape, dtype=torch.int8, device=p.device)
        active = torch.zeros(batch, m, dtype=torch.bool, device=p.device)
        residual = torch.full((batch,), torch.inf).to(p)
        dimension, iterations = torch.zeros(2, batch, dtype=torch.long, device=p.device)
        pending = torch.arange(batch, device=p.device)
        for goal in (1e-8, 1e-10, 1e-12, 1e-14):
            if len(pending) == 0:
                break
            guess = interior_point(p[pending], system, goal)
            found = polish(p[pending], system, guess)
            x[pending], face[pending], active[pending] = found.x, found.face, found.active
            residual[pending], dimension[pending] = found.residual, found.dimension
            iterations[pending] += guess.iterations
            pending = pending[~(residual[pending] <= ACCEPTED)]
        refuse_failures(residual.cpu().numpy(), members, ACCEPTED)
        return _Dense(members, system, source, places, x, face, active, residual, dimension, iterations)
