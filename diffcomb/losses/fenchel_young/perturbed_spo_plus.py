"""SPO+ with its exact solve averaged over noise."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from diffcomb.losses.fenchel_young.perturbed_fenchel_young import PerturbedFenchelYoungLoss
from diffcomb.problems import Problem


class PerturbedSPOPlusLoss(PerturbedFenchelYoungLoss):
    """l(theta; c, z) = perturbed Fenchel-Young loss at 2 theta - c, gradient 2 (z - (1/M) sum z*(u_m)),
    u_m the perturbed 2 theta - c.

    What `SmoothedSPOPlusLoss` is to x_rho, this is to the perturbed optimiser (Berthet et al. 2020,
    arXiv:2002.08676): it needs M exact solves instead of a convex one, and no description of conv(Z).
    As sigma -> 0 it becomes SPO+ (Elmachtoub & Grigas 2022, arXiv:1710.08005), up to a constant. Needs
    true costs c and optimal decisions z = z*(c). Oracle calls: M forward, 0 backward.

    Args:
        layer: gives the problem and its oracle.
        sigma, num_samples, kind, seed: see `Perturbation`.
    """

    needs = ("costs", "decisions")

    def __init__(
        self,
        layer: nn.Module,
        sigma: float = 1.0,
        num_samples: int = 4,
        kind: str = "additive",
        seed: int = 0,
    ) -> None:
        super().__init__(layer, sigma, num_samples, kind, seed)

    def block_loss(self, problem: Problem, theta: Tensor, costs: Tensor, *others: Any) -> Tensor:
        (z_true,) = others
        return self.excess(problem, 2 * theta - costs, z_true)
