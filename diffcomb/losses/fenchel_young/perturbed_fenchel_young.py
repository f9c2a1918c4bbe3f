"""The Fenchel-Young loss of the perturbed optimiser."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.layers import Perturbation
from diffcomb.losses.loss import Loss
from diffcomb.problems import Problem


class PerturbedFenchelYoungLoss(Loss):
    """l(theta; z) = theta'z - (1/M) sum_m min over Z of theta_m'w, theta_m the perturbed costs.

    Berthet et al., NeurIPS 2020, arXiv:2002.08676 (PFYL). Unbiased for theta'z - F(theta),
    F = E min over Z; the constant of the paper's loss that depends on z alone is left out. Gradient
    z - (1/M) sum z*(theta_m); with multiplicative noise theta_m = e_m theta it is
    z - (1/M) sum e_m z*(theta_m) (Dalle et al. 2022, arXiv:2207.13513). Convex in theta for noise of
    fixed size. Needs optimal decisions, no costs. Oracle calls: M forward, 0 backward.

    Args:
        layer: gives the problem and its oracle.
        sigma, num_samples, kind, seed: see `Perturbation`.
    """

    needs: tuple[str, ...] = ("decisions",)

    def __init__(
        self,
        layer: nn.Module,
        sigma: float = 1.0,
        num_samples: int = 1,
        kind: str = "additive",
        seed: int = 0,
    ) -> None:
        super().__init__(layer)
        self.perturbation = Perturbation(sigma, num_samples, kind, seed)

    def block_loss(self, problem: Problem, theta: Tensor, z_true: Tensor) -> Tensor:
        return self.excess(problem, theta, z_true)

    def excess(self, problem: Problem, theta: Tensor, z: Tensor) -> Tensor:
        """By how much z (rows, n) exceeds the perturbed optima at theta on average -> (rows,)."""
        perturbed, _ = self.perturbation(theta)
        w = self.exact_decisions(problem, perturbed)
        return problem.cost_of(z, theta) - problem.cost_of(w, perturbed).mean(0)
