"""The score-function estimator of the expected cost of perturbed decisions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Perturbation, cost_scale, exact_decisions
from diffcomb.losses.batch import Batch, blocks, mean_of, oracle_of
from diffcomb.problems import Problem


class ScoreFunctionLoss(nn.Module):
    """l(theta; c) = E f(z*(y), c), y ~ N(theta, s^2 I), s = sigma mean|theta|; f(z, c) = c'z by default.

    Silvestri et al. 2023, arXiv:2307.05213 (SFGE). Gradient
    (1/(M - 1)) sum_m (f_m - mean f) (y_m - theta) / s^2, REINFORCE with the leave-one-out baseline:
    unbiased (s held constant), for any f, which is only evaluated. Needs true costs. Oracle calls: M
    forward, 0 backward. Variance ~ n / (M sigma^2).

    Args:
        layer: gives the problem and its oracle.
        sigma, num_samples, seed: see `Perturbation`; num_samples at least 2.
        cost: f, (M, batch, n) decisions and (batch, n) costs -> (M, batch), need not be differentiable.
    """

    needs = ("costs",)

    def __init__(
        self,
        layer: nn.Module,
        sigma: float = 1.0,
        num_samples: int = 10,
        seed: int = 0,
        cost: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        if num_samples < 2:
            raise UnsupportedError("ScoreFunctionLoss needs num_samples >= 2 for its baseline.")
        self.layer, self.cost = layer, cost or _linear_cost
        self.perturbation = Perturbation(sigma, num_samples, seed=seed)

    def forward(self, theta: Batch, costs: Batch, problems: list[Problem] | None = None) -> Tensor:
        """theta, costs (batch, n), or lists of (n_i,) vectors -> scalar."""
        losses = []
        for problem, (t, c) in blocks(self.layer, problems, theta, costs):
            y, _ = self.perturbation(t.detach())
            z = exact_decisions(problem, y, oracle_of(self.layer)).to(t.dtype)
            f = self.cost(z, c).detach()
            deviation = self.perturbation.sigma * cost_scale(t)
            log_density = -0.5 * ((y - t) / deviation).square().sum(-1)
            surrogate = ((f - f.mean(0)) * log_density).sum(0) / (len(f) - 1)
            losses.append(
                f.mean(0) + surrogate - surrogate.detach()
            )  # the value is f, the gradient that above
        return mean_of(losses)


def _linear_cost(z: Tensor, costs: Tensor) -> Tensor:
    return torch.sum(costs * z, dim=-1)
