"""From guesses of the faces to exact projections, for a batch at once; and the projector on a face."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from diffcomb.projection.dense.interior_point import DenseSystem, Interior

_RANK = 1e-10
#: exchanges before giving up
_ROUNDS = 16


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


def polish(p: Tensor, system: DenseSystem, start: Interior) -> Polished:
    """Project p (batch, n) on the guessed faces and exchange wrong guesses.

    Of the bounds and rows that x oversteps only those met first on the way from the interior point are
    added: all at once can leave no point. From half of the rounds on, a bound missed by rounding is left to
    the point itself, since its multiplier may say to leave it and the exchange would go round in circles.
    """
    J, r, inequality = system
    face, active, y = start.face, start.active, start.y
    scale = p.abs().amax(1, keepdim=True).clamp_min(1.0)
    snap, sign = (1e-14 * scale).clamp_min(1e-11), 1e-12 * scale
    result = torch.full((len(p),), torch.inf).to(p)
    for attempt in range(_ROUNDS):
        near_bound = snap if attempt < _ROUNDS // 2 else -1e-14 * scale
        free, on = (face == 0).double(), active.double()
        inverse, rank = face_inverse(J, free, on)
        y = y * on
        x = torch.where(face == 0, p - y @ J, (face > 0).double())
        for _ in range(4):
            dy = (inverse @ ((x @ J.T - r) * on)[:, :, None])[:, :, 0]
            y, x = y + dy, x - (dy @ J) * free
        excess = x @ J.T - r
        gradient = x - p + y @ J
        near = 100.0 * _first_block(start, x, excess, face == 0, ~active, near_bound.abs())
        leaves = (face != 0) & (gradient * face > sign)
        low, high = (face == 0) & (x <= near_bound), (face == 0) & (x >= 1 - near_bound)
        releases = inequality & active & (y < -sign)
        joins = ~active & (excess >= -near_bound)
        changed = (leaves | low | high).any(1) | (releases | joins).any(1)
        stationarity = torch.where(face == 0, gradient.abs(), (gradient * face).clamp_min(0)).amax(1)
        primal = torch.where(active, excess.abs(), excess.clamp_min(0)).amax(1) if len(r) else 0 * result
        outside = torch.maximum(-x, x - 1).amax(1).clamp_min(0)
        settled = torch.maximum(torch.maximum(primal, outside), stationarity / scale[:, 0])
        result = torch.where(changed, torch.inf, settled)
        if not bool(changed.any()):
            break
        small = near_bound.abs()
        low &= (x >= -small) | (start.x <= near * (start.x - x))
        high &= (x <= 1 + small) | (1 - start.x <= near * (x - start.x))
        joins &= (excess <= small) | (start.s <= near * (start.s + excess))
        new_face = torch.where(leaves, 0, torch.where(low, -1, torch.where(high, 1, face))).to(torch.int8)
        face = torch.where(changed[:, None], new_face, face)
        active = torch.where(changed[:, None], (active & ~releases) | joins, active)
    return Polished(x.clamp(0, 1), face, active, result, (face == 0).sum(1) - rank)


def _first_block(
    start: Interior, x: Tensor, excess: Tensor, free: Tensor, slack: Tensor, snap: Tensor
) -> Tensor:
    """(batch, 1) share of the way from the interior point to x at which the first bound or row blocks."""
    below = torch.where(free & (x < -snap), start.x / (start.x - x), 1.0)
    above = torch.where(free & (x > 1 + snap), (1 - start.x) / (x - start.x), 1.0)
    share = torch.minimum(below, above).amin(1, keepdim=True)
    if excess.shape[1]:
        rows = torch.where(slack & (excess > snap), start.s / (start.s + excess), 1.0)
        share = torch.minimum(share, rows.amin(1, keepdim=True))
    return share.clamp_max(1.0)
