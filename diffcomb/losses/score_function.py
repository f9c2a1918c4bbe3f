"""The score-function estimator of the expected cost of perturbed decisions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Perturbation, cost_scale
from diffcomb.losses.loss import Loss
from diffcomb.problems import Problem


class ScoreFunctionLoss(Loss):
    """l(theta; c) = E f(z*(y), c), y ~ N(theta, s^2 I), s = sigma mean|theta|; f is the problem's objective.

    Silvestri et al. 2023, arXiv:2307.05213 (SFGE). Gradient
    (1/(M - 1)) sum_m (f_m - mean f) (y_m - theta) / s^2, REINFORCE with the leave-one-out baseline:
    unbiased (s held constant), for any f, which is only evaluated. Needs true costs. Oracle calls: M
    forward, 0 backward. Variance ~ n / (M sigma^2).

    Args:
        layer: gives the problem and its oracle.
        sigma, num_samples, seed: see `Perturbation`; num_samples at least 2.
        cost: another f, (M, batch, n) decisions and (batch, n) costs -> (M, batch); it need not be
            differentiable.
    """

    needs = ("costs",)
    scenarios_are_rows = False

    def __init__(
        self,
        layer: nn.Module,
        sigma: float = 1.0,
        num_samples: int = 10,
        seed: int = 0,
        cost: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__(layer)
        if num_samples < 2:
            raise UnsupportedError("ScoreFunctionLoss needs num_samples >= 2 for its baseline.")
        self.cost = cost
        self.perturbation = Perturbation(sigma, num_samples, seed=seed)

    def block_loss(self, problem: Problem, theta: Tensor, costs: Tensor) -> Tensor:
        y, _ = self.perturbation(theta.detach())
        z = self.exact_decisions(problem, y)
        f = torch.stack([self._cost(problem, z, c) for c in _scenarios(costs)]).mean(0).detach()
        deviation = self.perturbation.sigma * cost_scale(theta)
        log_density = -0.5 * ((y - theta) / deviation).square().sum(-1)
        surrogate = ((f - f.mean(0)) * log_density).sum(0) / (len(f) - 1)
        return f.mean(0) + surrogate - surrogate.detach()  # the value is f, the gradient that above

    def _cost(self, problem: Problem, z: Tensor, costs: Tensor) -> Tensor:
        return problem.cost_of(z, costs.expand_as(z)) if self.cost is None else self.cost(z, costs)


def _scenarios(costs: Tensor) -> tuple[Tensor, ...]:
    """(rows, n) each."""
    return costs.unbind(1) if costs.ndim == 3 else (costs,)
