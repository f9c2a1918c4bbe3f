"""I-MLE that finds its own target distance."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Adjoint, matching_step
from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem
from diffcomb.relaxations.estimators.imle import IMLE


class AdaptiveIMLE(IMLE):
    """I-MLE with lambda = beta ||theta|| / ||g|| and beta moved until gradients have `target` nonzeros.

    Minervini, Franceschi & Niepert, AAAI 2023, arXiv:2209.04862 (AIMLE). After each backward pass
    beta <- max(0, beta + step) while the running mean of nonzero gradient entries per sample is below
    `target`, beta - step above. With `central` the backward pass is
    (z*(theta + lambda g + e) - z*(theta - lambda g + e)) / (2 lambda).
    Oracle calls: M forward, M backward (central: 2 M). Biased, noisy. beta lives in a buffer.

    Args:
        beta: start. 0: no gradient until it has grown.
        step: of beta. The paper's 1e-3 takes thousands of batches; large: oscillates.
        target: nonzero entries per sample to aim at. Small: faithful, sparse. Large: dense, biased.
        decay: of the running mean.
        sigma, num_samples, noise, seed: as in IMLE.
    """

    beta: Tensor
    nonzeros: Tensor

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        beta: float = 1.0,
        step: float = 1e-2,
        target: float = 1.0,
        decay: float = 0.9,
        central: bool = True,
        sigma: float = 0.5,
        num_samples: int = 1,
        noise: str = "sum_of_gamma",
        seed: int = 0,
        *,
        oracle: str | Oracle | Limits = "auto",
    ) -> None:
        super().__init__(problem, 1.0, sigma, num_samples, noise, seed, oracle=oracle)
        if beta < 0 or not step > 0 or not target > 0 or not 0 <= decay < 1:
            raise UnsupportedError("beta >= 0, step > 0, target > 0 and 0 <= decay < 1 are needed.")
        self.step, self.target, self.decay, self.central = step, target, decay, central
        self.register_buffer("beta", torch.tensor(float(beta), dtype=torch.float64))
        self.register_buffer("nonzeros", torch.tensor(float(target), dtype=torch.float64))

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        perturbed = self.perturb(problem, theta)
        z = self.solve(problem, perturbed)

        def adjoint(grad: Tensor) -> Tensor:
            beta = float(self.beta)
            step = max(beta, torch.finfo(torch.float64).tiny) * matching_step(theta, grad)
            if beta == 0:
                difference = torch.zeros_like(z)
            elif self.central:
                plus, minus = self.solve(
                    problem, torch.stack([perturbed + step * grad, perturbed - step * grad])
                )
                difference = (plus - minus) / 2
            else:
                difference = self.solve(problem, perturbed + step * grad) - z
            self._adapt(difference)
            return difference.mean(0) / step

        return z.mean(0), adjoint

    def _adapt(self, difference: Tensor) -> None:
        """Move beta by the nonzero entries per sample of this batch."""
        count = (difference != 0).sum(-1).double().mean().to(self.nonzeros)
        self.nonzeros.mul_(self.decay).add_((1 - self.decay) * count)
        self.beta += self.step if self.nonzeros < self.target else -self.step
        self.beta.clamp_(min=0.0)
