"""The exactness threshold rho_bar(theta) by Dinkelbach's method, with the oracle alone.

    x_rho(theta) = z*(theta)  <=>  rho <= rho_bar = min over z in Z, z != z* of 2 theta'(z - z*) / H(z, z*)

H, the Hamming distance, is affine in z on {0,1}^n: H(z, z*) = sum z* + (1 - 2 z*)'z. So the ratio
is minimised by linear solves of theta + rho (z* - 1/2) (Dinkelbach 1967), superlinearly.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from diffcomb.problems import Problem
from diffcomb.problems.safe_oracle import decide_safely


def is_exact(
    problem: Problem, theta: Tensor, rho: Tensor, decision: Tensor, *, oracle: str = "auto"
) -> Tensor:
    """Whether x_rho(theta) over conv(Z) is `decision`, by one oracle call per instance.

    It is exactly when no z in Z has (theta + rho (decision - 1/2))'(z - decision) < 0; rounding is
    allowed for at 1e-12 of the scale of these costs.

    Args:
        theta, decision: (batch, n). rho: (batch,).
    """
    costs = theta.detach().double()
    z0 = decision.to(costs)
    modified = costs + rho.to(costs)[:, None] * (z0 - 0.5)
    z = decide_safely(problem, modified, oracle)
    return ((z - z0) * modified).sum(-1) >= -1e-12 * modified.abs().sum(-1)


@dataclass(frozen=True)
class Threshold:
    """rho_bar (batch,), z* (batch, n) and the oracle calls (batch,) int that each instance took."""

    rho_bar: Tensor
    decision: Tensor
    oracle_calls: Tensor


def exactness_threshold(
    problem: Problem,
    theta: Tensor,
    *,
    return_calls: bool = False,
    oracle: str = "auto",
    max_calls: int = 50,
) -> Tensor | Threshold:
    """rho_bar(theta), the smallest cost increase per changed coordinate, times two.

    Args:
        theta: (batch, n) or (n,).
        return_calls: also return z* and the number of oracle calls.

    Returns:
        (batch,) thresholds, +inf where Z has a single member; or a `Threshold`.
    """
    batch = torch.atleast_2d(problem.check_costs(theta.detach()))
    z_star = problem.solve(batch, oracle).decision
    calls = torch.ones(len(batch), dtype=torch.long, device=batch.device)
    # any member but z* gives a ratio to start from: one that avoids z*, for costs that stay positive
    # where theta is; the farthest one (a longest path) is only the last resort
    spread = batch.abs().sum(-1)
    z = decide_safely(problem, batch + (spread + 1)[:, None] * z_star, oracle)
    calls += 1
    distance = (z - z_star).abs().sum(-1)
    first = (2 * ((z - z_star) * batch).sum(-1) / distance.clamp_min(1.0)).clamp_min(0.0)
    rho_bar = torch.where(distance > 0.5, first, torch.inf)
    rho = torch.where(distance > 0.5, first, 4 * spread + 1)
    active = torch.arange(len(batch), device=batch.device)
    for _ in range(max_calls):
        if len(active) == 0:
            break
        c, z0 = batch[active], z_star[active]
        z = decide_safely(problem, c + rho[active, None] * (z0 - 0.5), oracle)
        calls[active] += 1
        distance = (z - z0).abs().sum(-1)
        ratio = (2 * ((z - z0) * c).sum(-1) / distance.clamp_min(1.0)).clamp_min(0.0)
        # z* itself, or no smaller ratio: the last rho is the threshold
        improved = (distance > 0.5) & (ratio < rho[active] * (1 - 1e-12))
        rho[active] = torch.where(improved, ratio, rho[active])
        rho_bar[active] = torch.where(improved, ratio, rho_bar[active])
        active = active[improved]
    shape = theta.shape[:-1]
    if return_calls:
        return Threshold(rho_bar.reshape(shape), z_star.reshape(theta.shape), calls.reshape(shape))
    return rho_bar.reshape(shape)
