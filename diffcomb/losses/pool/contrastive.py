"""Contrastive losses over a solution pool: NCE and CMAP."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.losses.pool.affine_costs import AffineCosts
from diffcomb.losses.pool.pooled_loss import PooledLoss


class NCELoss(PooledLoss):
    """l(theta; z) = theta'z - mean over the pool of theta'w.

    Mulamba et al., IJCAI 2021, arXiv:2011.05354: noise-contrastive estimation of z against the pool.
    Gradient z - mean w, the same for every theta while the pool stays: unbounded below, stop early.

    Args:
        layer, capacity, resolve_rate, seed: see `PooledLoss`.
    """

    def compare(self, theta: Tensor, costs: Tensor, best: AffineCosts, pool: AffineCosts) -> Tensor:
        mean = AffineCosts(pool.slope.mean(0), pool.constant.mean(0))
        return best.each(theta) - mean.each(theta)


class CMAPLoss(PooledLoss):
    """l(theta; c, z) = max over the pool of v'(z - w), v = theta - c ("shifted") or theta.

    Mulamba et al., IJCAI 2021, arXiv:2011.05354: against the best rival of the pool alone. Convex, >= 0
    once z is in the pool. Over all of Z the plain version is the structured perceptron, gradient
    z - z*(theta), which theta = 0 minimises; the shift takes that minimum to theta = c.

    Args:
        shifted: compare theta - c.
        layer, capacity, resolve_rate, seed: see `PooledLoss`.
    """

    def __init__(
        self,
        layer: nn.Module,
        shifted: bool = True,
        capacity: int = 1000,
        resolve_rate: float = 0.05,
        seed: int = 0,
    ) -> None:
        super().__init__(layer, capacity, resolve_rate, seed)
        self.shifted = shifted

    def compare(self, theta: Tensor, costs: Tensor, best: AffineCosts, pool: AffineCosts) -> Tensor:
        if not self.shifted:
            return best.each(theta) - pool.all(theta).amin(-1)
        # in a difference of costs their constants cancel
        v = theta - costs
        return (v * best.slope).sum(-1) - (v @ pool.slope.T).amin(-1)
