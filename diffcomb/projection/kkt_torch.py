"""solver="kkt_torch": the mathematics of "kkt" as batched dense torch, for GPUs and as a test oracle.

Shares the preparation of the polytope and the lazy rows with KKTSolver, and no numerical code: dense
J, equilibrated Cholesky with a small shift in the interior point, an eigendecomposition of J D J' on
the face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.program import Rows
from diffcomb.projection.kernels.batch import ACCEPTED
from diffcomb.projection.kernels.rows import no_lazy_rows
from diffcomb.projection.kkt import KKTSolver
from diffcomb.projection.known_rows import Solved, refuse_failures
from diffcomb.projection.many_rows import SolvedFace
from diffcomb.projection.normal_system import NormalSystem
from diffcomb.projection.relaxed import RelaxedDecision

_RANK = 1e-10


class TorchKKTSolver(KKTSolver):
    """x_rho by batched torch on the device of theta. O(batch m^2 n) per iteration: dense in the rows.

    The adjoint runs on that device too, in a few batched products.
    """

    name = "kkt_torch"
    _device = torch.device("cpu")
    _takes_all_rows = False
    _groups: Sequence[Solved | SolvedFace] = ()

    def solve(self, theta: Tensor, rho: Tensor) -> RelaxedDecision:
        self._device = theta.device
        relaxed = super().solve(theta, rho)
        groups, kept = self._groups, torch.from_numpy(np.flatnonzero(self._interior.kept)).to(theta.device)

        def adjoint(grad: Tensor) -> Tensor:
            return -_project(groups, kept, grad.detach().to(kept.device)) / rho[:, None]

        return replace(relaxed, adjoint=adjoint)

    def _solve_lazily(self, cost: np.ndarray) -> list[Solved | SolvedFace]:
        self._groups = groups = super()._solve_lazily(cost)
        return groups

    def _solve_known_rows(self, cost: np.ndarray, members: np.ndarray, carried: list[np.ndarray]) -> Solved:
        # one J for the batch: every instance takes the rows of all
        places = np.unique(np.concatenate(carried)) if carried else np.zeros(0, dtype=np.int64)
        if not len(places):
            return _solve(self._system, cost, members, places, self._device)
        rows = Rows(sparse.csr_array(self._pool.rows.G[places]), self._pool.rows.h[places])
        system = NormalSystem.of(self._interior.polytope.with_rows(rows))
        return _solve(system, cost, members, places, self._device)


def _project(groups: Sequence[Solved | SolvedFace], kept: Tensor, grad: Tensor) -> Tensor:
    """Pi g (batch, n), kept the coordinates that are not fixed."""
    out = torch.zeros_like(grad)
    for solved in groups:
        assert isinstance(solved, _TorchSolved)
        cells = (torch.from_numpy(solved.members).to(kept.device)[:, None], kept)
        out[cells] = solved.project_on_device(grad[cells])
    return out


@dataclass(frozen=True)
class _TorchSolved(Solved):
    """L holds nothing here; J (m, n), free (batch, n) and on (batch, m) stay on the device."""

    J: Tensor
    free: Tensor
    on: Tensor

    def subset(self, rows: np.ndarray) -> Solved:
        index = torch.from_numpy(rows).to(self.J.device)
        own = {name: getattr(self, name)[index] for name in ("free", "on")}
        return replace(super().subset(rows), **own)

    def tight(self, instance: int | np.integer) -> np.ndarray:
        shared = self.system.num_rows - self.carried.shape[1]
        lazy = self.system.source[self.active[instance]] - shared
        return self.carried[instance, np.sort(lazy[lazy >= 0])]

    def project_on_device(self, g: Tensor) -> Tensor:
        """Pi g (batch, n)."""
        freed = g * self.free
        inverse, _ = _face_inverse(self.J, self.free, self.on)
        v = (inverse @ ((freed @ self.J.T) * self.on)[:, :, None])[:, :, 0]
        out = freed - (v @ self.J) * self.free
        small = out.abs() <= 1e-12 * g.abs().amax(1, keepdim=True)
        vertex = torch.from_numpy(self.counts[:, :1] == 0).to(g.device)
        return torch.where(small | vertex, 0.0, out)


def _face_inverse(J: Tensor, free: Tensor, active: Tensor) -> tuple[Tensor, Tensor]:
    """Pseudo-inverse (batch, m, m) and rank (batch,) of J D J' over the active rows."""
    M = torch.einsum("mi,bi,ki->bmk", J, free, J) * active[:, :, None] * active[:, None, :]
    values, vectors = torch.linalg.eigh(M)
    large = values > _RANK
    scaled = vectors * torch.where(large, 1.0 / torch.where(large, values, 1.0), 0.0)[:, None, :]
    return scaled @ vectors.mT, large.sum(1)


def _solve(
    system: NormalSystem, cost: np.ndarray, members: np.ndarray, places: np.ndarray, device: torch.device
) -> Solved:
    """Over the rows of `system`, whose last ones are the pool's `places`."""
    batch, n, m = len(cost), system.num_vars, system.num_rows
    J = torch.from_numpy(system.matrix.toarray()).to(device)
    r = torch.from_numpy(system.rhs).to(device)
    inequality = torch.from_numpy(system.is_inequality).to(device)
    p = 0.5 - torch.from_numpy(np.ascontiguousarray(cost)).to(device)
    x, y = torch.zeros(batch, n).to(p), torch.zeros(batch, m).to(p)
    face = torch.zeros(batch, n, dtype=torch.int8, device=device)
    active = torch.zeros(batch, m, dtype=torch.bool, device=device)
    residual = torch.full((batch,), torch.inf).to(p)
    counts = torch.zeros(batch, 3, dtype=torch.long, device=device)
    pending = torch.arange(batch, device=device)
    for target in (1e-8, 1e-10, 1e-12, 1e-14):
        if len(pending) == 0:
            break
        guess = _interior_point(p[pending], J, r, inequality, target)
        found = _polish(p[pending], J, r, inequality, *guess[:3])
        x[pending], y[pending], face[pending], active[pending], residual[pending] = found[:5]
        counts[pending, 0], counts[pending, 1] = found[5], (active[pending] & inequality).sum(1)
        counts[pending, 2] += guess[3]
        pending = pending[~(residual[pending] <= ACCEPTED)]
    refuse_failures(residual.cpu().numpy(), members, ACCEPTED)
    nothing, free, on = np.zeros((batch, 0)), (face == 0).double(), active.double()
    return _TorchSolved(
        system,
        no_lazy_rows(),
        members,
        np.repeat(places[None], batch, axis=0),
        x=x.cpu().numpy(),
        y=y.cpu().numpy(),
        face=face.cpu().numpy(),
        active=active.cpu().numpy(),
        residual=residual.cpu().numpy(),
        counts=counts.cpu().numpy(),
        L=nothing,
        inverse=nothing,
        data=system.data[None],
        J=J,
        free=free,
        on=on,
    )


def _step(value: Tensor, direction: Tensor) -> Tensor:
    """Largest step (batch,) in [0, 1] that keeps value + step direction >= 0."""
    ratio = torch.where(direction < 0, -value / torch.where(direction < 0, direction, -1.0), torch.inf)
    return ratio.amin(1).clamp_max(1.0) if value.shape[1] else torch.ones(len(value)).to(value)


def _interior_point(
    p: Tensor, J: Tensor, r: Tensor, inequality: Tensor, target: float
) -> tuple[Tensor, Tensor, Tensor, int]:
    """Mehrotra's method; returns guesses of face and active rows, multipliers y, and iterations."""
    scale = p.abs().amax(1, keepdim=True).clamp_min(1.0)
    q, c = 1.0 / scale, -p / scale
    x = torch.full_like(p, 0.5)
    t = x.clone()
    G, is_row = J[inequality], inequality.double()
    y = is_row.expand(len(p), -1).clone()
    s = torch.where(inequality, (r - x @ J.T).clamp_min(0.1), 1.0)
    gradient = c + q * x + y @ J
    lower, upper = gradient.clamp_min(0) + 0.5, (-gradient).clamp_min(0) + 0.5
    pairs = 2 * p.shape[1] + len(G)
    best, stalled, iteration = torch.full((len(p),), torch.inf).to(p), 0, 0
    while True:
        primal = x @ J.T - r + s * is_row
        gradient = c + q * x + y @ J
        dual = (gradient - lower + upper).abs().amax(1)
        mu = ((x * lower + t * upper).sum(1) + (s * y * is_row).sum(1)) / max(pairs, 1)
        merit = torch.maximum(mu, dual)
        merit = torch.maximum(merit, primal.abs().amax(1)) if len(r) else merit
        stalled = 0 if bool((merit < 0.9 * best).any()) else stalled + 1
        best = torch.minimum(best, merit)
        going = (merit > target)[:, None]
        # rounding has the last word near the end
        if not bool(going.any()) or stalled >= 4 or iteration >= 60:
            break
        iteration += 1
        weight = 1.0 / (q + lower / x + upper / t)
        ratio = torch.where(inequality, s / torch.where(inequality, y, 1.0), 0.0)
        M = torch.einsum("mi,bi,ki->bmk", J, weight, J) + torch.diag_embed(ratio)
        # Jacobi equilibration; the shift keeps the factor finite when rows depend on a face
        d = M.diagonal(dim1=1, dim2=2).clamp_min(1e-300).rsqrt()
        shifted = M * d[:, :, None] * d[:, None, :] + 1e-14 * torch.eye(len(r)).to(M)
        L, _ = torch.linalg.cholesky_ex(shifted)
        add_lower, add_upper = torch.zeros_like(x), torch.zeros_like(x)
        extra = -s * is_row
        for phase in (0, 1):
            rt = gradient - add_lower + add_upper
            right = primal - (weight * rt) @ J.T + extra
            dy = torch.cholesky_solve((right * d)[:, :, None], L)[:, :, 0] * d
            dx = -weight * (rt + dy @ J)
            d_lower = add_lower - lower - lower / x * dx
            d_upper = add_upper - upper + upper / t * dx
            ds = (extra - ratio * dy) * is_row
            step_primal = torch.minimum(torch.minimum(_step(x, dx), _step(t, -dx)), _step(s, ds))
            step_dual = torch.minimum(
                torch.minimum(_step(lower, d_lower), _step(upper, d_upper)),
                _step(y[:, inequality], dy[:, inequality]),
            )
            if phase == 0:
                a, b = step_primal[:, None], step_dual[:, None]
                after = ((x + a * dx) * (lower + b * d_lower) + (t - a * dx) * (upper + b * d_upper)).sum(1)
                after = (after + ((s + a * ds) * (y + b * dy) * is_row).sum(1)) / max(pairs, 1)
                center = ((after / mu) ** 3 * mu)[:, None]
                add_lower, add_upper = (center - dx * d_lower) / x, (center + dx * d_upper) / t
                extra = extra + is_row * (center - ds * dy) / torch.where(inequality, y, 1.0)
        damping = (1.0 - mu).clamp_min(0.99)
        a, b = (damping * step_primal)[:, None], (damping * step_dual)[:, None]
        # instances that are done stay where they are
        x, t = (torch.where(going, v, old).clamp_min(1e-300) for v, old in ((x + a * dx, x), (t - a * dx, t)))
        lower = torch.where(going, lower + b * d_lower, lower).clamp_min(1e-300)
        upper = torch.where(going, upper + b * d_upper, upper).clamp_min(1e-300)
        y = torch.where(going, y + b * dy, y)
        y = torch.where(inequality, y.clamp_min(1e-300), y)
        s = torch.where(inequality & going, s + a * ds, s).clamp_min(1e-300)
    face = (upper > t).to(torch.int8) - (lower > x).to(torch.int8)
    return face, ~inequality | (y > s), y * scale, iteration


def _polish(
    p: Tensor, J: Tensor, r: Tensor, inequality: Tensor, face: Tensor, active: Tensor, y: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Project on the guessed faces and exchange wrong guesses: (x, y, face, active, residual, dimension)."""
    scale = p.abs().amax(1, keepdim=True).clamp_min(1.0)
    snap, sign = (1e-14 * scale).clamp_min(1e-11), 1e-12 * scale
    result = torch.full((len(p),), torch.inf).to(p)
    for _ in range(12):
        free, on = (face == 0).double(), active.double()
        inverse, rank = _face_inverse(J, free, on)
        y = y * on
        x = torch.where(face == 0, p - y @ J, (face > 0).double())
        for _ in range(4):
            dy = (inverse @ ((x @ J.T - r) * on)[:, :, None])[:, :, 0]
            y, x = y + dy, x - (dy @ J) * free
        excess = x @ J.T - r
        gradient = x - p + y @ J
        leaves = (face != 0) & (gradient * face > sign)
        low, high = (face == 0) & (x <= snap), (face == 0) & (x >= 1 - snap)
        releases = inequality & active & (y < -sign)
        joins = ~active & (excess >= -snap)
        changed = (leaves | low | high).any(1) | (releases | joins).any(1)
        stationarity = torch.where(face == 0, gradient.abs(), (gradient * face).clamp_min(0)).amax(1)
        primal = torch.where(active, excess.abs(), excess.clamp_min(0)).amax(1) if len(r) else 0 * result
        settled = torch.maximum(primal, stationarity / scale[:, 0])
        result = torch.where(changed, torch.inf, settled)
        if not bool(changed.any()):
            break
        new_face = torch.where(leaves, 0, torch.where(low, -1, torch.where(high, 1, face))).to(torch.int8)
        face = torch.where(changed[:, None], new_face, face)
        active = torch.where(changed[:, None], (active & ~releases) | joins, active)
    return x.clamp(0, 1), y, face, active, result, (face == 0).sum(1) - rank
