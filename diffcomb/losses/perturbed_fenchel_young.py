"""The Fenchel-Young loss of the perturbed optimiser."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.layers import Perturbation, exact_decisions
from diffcomb.losses.batch import Batch, blocks, mean_of, oracle_of
from diffcomb.problems import Problem


class PerturbedFenchelYoungLoss(nn.Module):
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

    needs = ("decisions",)

    def __init__(
        self,
        layer: nn.Module,
        sigma: float = 1.0,
        num_samples: int = 1,
        kind: str = "additive",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.layer = layer
        self.perturbation = Perturbation(sigma, num_samples, kind, seed)

    def forward(self, theta: Batch, z_true: Batch, problems: list[Problem] | None = None) -> Tensor:
        """theta, z_true (batch, n), or lists of (n_i,) vectors -> scalar."""
        losses = []
        for problem, (t, z) in blocks(self.layer, problems, theta, z_true):
            perturbed, _ = self.perturbation(t)
            w = exact_decisions(problem, perturbed, oracle_of(self.layer)).to(t.dtype)
            losses.append((t * z).sum(-1) - (perturbed * w).sum(-1).mean(0))
        return mean_of(losses)
