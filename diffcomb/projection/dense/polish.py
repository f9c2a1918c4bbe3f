"""From guesses of the faces to exact projections, for a batch at once; and the projector on a face."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from diffcomb.projection.dense.interior_point import DenseSystem

_RANK = 1e-10


class Polished(NamedTuple):
    """x (batch, n), the faces it lies on, residuals (batch,), infinite where none was found, dimensions."""

    x: Tensor
    face: Tensor
    active: Tensor
    residual: Tensor
    dimension: Tensor


def face_inverse(J: Tensor, free: Tensor, active: Tensor) -> tuple[Tensor, Tensor]:
    """Pseudo-inverse (batch, m, m) and rank (batch,) of J D J' over the active rows."""
    M = torch.einsum("mi,bi,ki->bmk", J, free, J) * active[:, :, None] * active[:, None, :]
    values, vectors = torch.linalg.eigh(M)
    large = values > _RANK
    scaled = vectors * torch.where(large, 1.0 / torch.where(large, values, 1.0), 0.0)[:, None, :]
    return scaled @ vectors.mT, large.sum(1)


def polish(p: Tensor, system: DenseSystem, face: Tensor, active: Tensor, y: Tensor) -> Polished:
    """Project p (batch, n) on the guessed faces and exchange wrong guesses.

    Args:
        face: (batch, n) int8, -1 at 0, 0 free, 1 at 1. active: (batch, m) bool. y: (batch, m).
    """
    J, r, inequality = system
    scale = p.abs().amax(1, keepdim=True).clamp_min(1.0)
    snap, sign = (1e-14 * scale).clamp_min(1e-11), 1e-12 * scale
    result = torch.full((len(p),), torch.inf).to(p)
    for _ in range(12):
        free, on = (face == 0).double(), active.double()
        inverse, rank = face_inverse(J, free, on)
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
    return Polished(x.clamp(0, 1), face, active, result, (face == 0).sum(1) - rank)
