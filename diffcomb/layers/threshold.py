"""The exactness threshold rho_bar(theta) by Dinkelbach's method, with the oracle alone.

    x_rho(theta) = z*(theta)  <=>  rho <= rho_bar = inf over z in Z, z != z* of
                                   theta'(z - z*) / [(c - z*)'W (z - z*)]_+        (t / 0 = inf)

c the centre of the box, W = diag(1 / width^2). On 0-1 vectors the bracket is H(z, z*) / 2, H the Hamming
distance: rho_bar is twice the smallest cost increase per changed coordinate. It is affine in z, so the
ratio is minimised by linear solves of theta + rho W (z* - c) (Dinkelbach 1967), superlinearly.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem
from diffcomb.projection import slope_at, weighted_distance


def is_exact(
    problem: Problem,
    theta: Tensor,
    rho: Tensor,
    decision: Tensor,
    *,
    oracle: str | Oracle | Limits = "auto",
) -> Tensor:
    """Whether x_rho(theta) over conv(Z) is `decision`, by one oracle call per instance.

    It is exactly when no z in Z has (theta + rho W (decision - c))'(z - decision) < 0; rounding is
    allowed for at 1e-12 of the scale of these costs.

    Args:
        theta: (batch, num_costs). decision: (batch, n). rho: (batch,).
        oracle: a name, an oracle, or Limits.
    """
    costs = problem.costs_of(theta.detach().double())
    z0 = decision.to(costs)
    modified = slope_at(costs, rho.to(costs), z0, problem.unit_box)
    z = problem.decide(modified, Limits.of(oracle))
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
    oracle: str | Oracle | Limits = "auto",
    max_calls: int = 50,
) -> Tensor | Threshold:
    """rho_bar(theta) over conv(Z); for 0-1 problems twice the smallest cost increase per changed coordinate.

    Args:
        theta: (batch, num_costs) or (num_costs,).
        return_calls: also return z* and the number of oracle calls.
        oracle: a name, an oracle, or Limits.

    Returns:
        (batch,) thresholds, +inf where no smoothing moves the decision (Z has a single member, say); or a
        `Threshold`.
    """
    limits, box = Limits.of(oracle), problem.unit_box
    batch = problem.costs_of(torch.atleast_2d(problem.check_costs(theta.detach())))
    z_star = problem.decide(batch, limits).to(batch)
    calls = torch.full((len(batch),), 2, dtype=torch.long, device=batch.device)
    z = problem.decide(_away(problem, batch, z_star), limits).to(batch)
    distance = weighted_distance(z, z_star, box)
    moved = distance > _NOTHING
    first = (((z - z_star) * batch).sum(-1) / torch.where(moved, distance, 1.0)).clamp_min(0.0)
    rho_bar = torch.where(moved, first, torch.inf)
    rho = torch.where(moved, first, 4 * batch.abs().sum(-1) + 1)
    # a problem that is not 0-1 was asked for the farthest member: where there is none, all is exact
    active = torch.arange(len(batch), device=batch.device)
    active = active if problem.is_binary else active[moved]
    for _ in range(max_calls):
        if len(active) == 0:
            break
        c, z0 = batch[active], z_star[active]
        z = problem.decide(slope_at(c, rho[active], z0, box), limits).to(batch)
        calls[active] += 1
        distance = weighted_distance(z, z0, box)
        moved = distance > _NOTHING
        ratio = (((z - z0) * c).sum(-1) / torch.where(moved, distance, 1.0)).clamp_min(0.0)
        # z* itself, or no smaller ratio: the last rho is the threshold
        improved = moved & (ratio < rho[active] * (1 - 1e-12))
        rho[active] = torch.where(improved, ratio, rho[active])
        rho_bar[active] = torch.where(improved, ratio, rho_bar[active])
        active = active[improved]
    shape = theta.shape[:-1]
    if return_calls:
        return Threshold(rho_bar.reshape(shape), z_star.reshape(*shape, -1), calls.reshape(shape))
    return rho_bar.reshape(shape)


#: a weighted distance in unit coordinates below it is rounding
_NOTHING = 1e-9


def _away(problem: Problem, costs: Tensor, z_star: Tensor) -> Tensor:
    """Costs whose minimiser gives a ratio to start from.

    Among 0-1 vectors any member but z* does: one that avoids z*, for costs that stay positive where theta is;
    the farthest one (a longest path) is only the last resort. Elsewhere it is the farthest.
    """
    if problem.is_binary:
        return costs + (costs.abs().sum(-1) + 1)[:, None] * z_star
    return slope_at(torch.zeros_like(costs), torch.ones_like(costs[:, 0]), z_star, problem.unit_box)
