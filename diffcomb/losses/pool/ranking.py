"""Learning to rank a solution pool as the true costs rank it (Mandi et al., ICML 2022, arXiv:2112.03609)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffcomb.errors import UnsupportedError
from diffcomb.layers import cost_scale
from diffcomb.losses.pool.affine_costs import AffineCosts
from diffcomb.losses.pool.pooled_loss import PooledLoss


class ListwiseRankingLoss(PooledLoss):
    """l = - sum over the pool of p(w | c) log p(w | theta), p(w | v) = softmax(-v'w / T).

    Gradient (E[w | c] - E[w | theta]) / T. T = temperature mean|c|; the paper's is absolute. Biased
    towards the pool.

    Args:
        temperature: small: the best decision only. Large: the whole order.
        layer, capacity, resolve_rate, seed: see `PooledLoss`.
    """

    def __init__(
        self,
        layer: nn.Module,
        temperature: float = 1.0,
        capacity: int = 1000,
        resolve_rate: float = 0.05,
        seed: int = 0,
    ) -> None:
        super().__init__(layer, capacity, resolve_rate, seed)
        if not temperature > 0:
            raise UnsupportedError(f"temperature must be positive, got {temperature}.")
        self.temperature = temperature

    def compare(self, theta: Tensor, costs: Tensor, best: AffineCosts, pool: AffineCosts) -> Tensor:
        unit = self.temperature * cost_scale(costs)
        wanted = torch.softmax(-pool.all(costs) / unit, -1)
        return -(wanted * torch.log_softmax(-pool.all(theta) / unit, -1)).sum(-1)


class PairwiseRankingLoss(PooledLoss):
    """l = mean over the pool of max(0, margin mean|c| + theta'(best - w)), best = the pool's best under c.

    The pairs (best, rest) of the paper; `best` itself contributes nothing.

    Args:
        margin: by how much the best must win, in units of mean|c|. 0: order only.
        layer, capacity, resolve_rate, seed: see `PooledLoss`.
    """

    def __init__(
        self,
        layer: nn.Module,
        margin: float = 0.1,
        capacity: int = 1000,
        resolve_rate: float = 0.05,
        seed: int = 0,
    ) -> None:
        super().__init__(layer, capacity, resolve_rate, seed)
        if not margin >= 0:
            raise UnsupportedError(f"margin must not be negative, got {margin}.")
        self.margin = margin

    def compare(self, theta: Tensor, costs: Tensor, best: AffineCosts, pool: AffineCosts) -> Tensor:
        winner = pool.all(costs).argmin(-1, keepdim=True)
        predicted = pool.all(theta)
        lead = self.margin * cost_scale(costs) + predicted.gather(-1, winner) - predicted
        rivals = torch.ones_like(lead).scatter(-1, winner, 0.0)
        return (lead.clamp_min(0.0) * rivals).sum(-1) / max(1, len(pool.slope) - 1)


class PointwiseRankingLoss(PooledLoss):
    """l = mean over the pool of (theta'w - c'w)^2: predict what each decision costs.

    Args:
        layer, capacity, resolve_rate, seed: see `PooledLoss`.
    """

    def compare(self, theta: Tensor, costs: Tensor, best: AffineCosts, pool: AffineCosts) -> Tensor:
        return ((theta - costs) @ pool.slope.T).square().mean(-1)
