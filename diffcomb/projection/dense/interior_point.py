"""Mehrotra's method for a batch of projections at once, densely: equilibrated Cholesky with a small shift."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class DenseSystem(NamedTuple):
    """Rows J (m, n), right-hand sides r (m,), inequality (m,) bool, on one device."""

    J: Tensor
    r: Tensor
    inequality: Tensor


class Interior(NamedTuple):
    """A point inside X and what it says of the solution.

    x (batch, n), slacks s (batch, m), the guesses face (batch, n) int8, active (batch, m) bool, multipliers
    y (batch, m) of the unscaled problem, iterations.
    """

    x: Tensor
    s: Tensor
    face: Tensor
    active: Tensor
    y: Tensor
    iterations: int


def _step(value: Tensor, direction: Tensor) -> Tensor:
    """Largest step (batch,) in [0, 1] that keeps value + step direction >= 0."""
    ratio = torch.where(direction < 0, -value / torch.where(direction < 0, direction, -1.0), torch.inf)
    return ratio.amin(1).clamp_max(1.0) if value.shape[1] else torch.ones(len(value)).to(value)


def interior_point(p: Tensor, system: DenseSystem, goal: float) -> Interior:
    """Project p (batch, n) by Mehrotra's method until complementarity and residuals are below `goal`.

    Returns:
        The last point, with guesses of its face and active rows by strict complementarity.
    """
    J, r, inequality = system
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
        going = (merit > goal)[:, None]
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
    return Interior(x, s, face, ~inequality | (y > s), y * scale, iteration)
