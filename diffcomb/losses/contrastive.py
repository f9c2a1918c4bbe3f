"""Contrastive losses over a solution pool: NCE and CMAP."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.losses.solution_pool import PooledLoss


class NCELoss(PooledLoss):
    """l(theta; z) = theta'z - mean over the pool of theta'w.

    Mulamba et al., IJCAI 2021, arXiv:2011.05354: noise-contrastive estimation of z against the pool.
    Gradient z - mean w, the same for every theta while the pool stays: unbounded below, stop early.

    Args:
        layer, capacity, resolve_rate, seed: see `PooledLoss`.
    """

    def compare(self, theta: Tensor, costs: Tensor, z_true: Tensor, pool: Tensor) -> Tensor:
        """As `PooledLoss.compare`."""
        return (theta * (z_true - pool.mean(0))).sum(-1)


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

    def compare(self, theta: Tensor, costs: Tensor, z_true: Tensor, pool: Tensor) -> Tensor:
        """As `PooledLoss.compare`."""
        v = theta - costs if self.shifted else theta
        return (v * z_true).sum(-1) - (v @ pool.T).amin(-1)
