"""Implicit maximum likelihood estimation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Adjoint, SeededNoise, cost_scale, matching_step
from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem, ProblemCache
from diffcomb.relaxations.exact_decision import ExactDecision


class IMLE(ExactDecision):
    """Forward the mean over m of z*(theta + e_m), backward the mean of
    (z*(theta + lambda g + e_m) - z*(theta + e_m)) / lambda.

    Niepert, Minervini & Franceschi, NeurIPS 2021, arXiv:2106.01798. M perturb-and-MAP samples,
    with the same noise at theta and at the target theta + lambda g. e = -sigma mean|theta| xi, the sign
    because the noise laws belong to maximised scores. Oracle calls: M forward, M backward.
    Biased (lambda), noisy.

    Args:
        strength: lambda ||g|| / ||theta||, as in BlackBoxDifferentiation.
        sigma: noise in units of mean|theta|. Small: DBB. Large: smooth, samples forget theta.
        num_samples: M.
        noise: "sum_of_gamma", the paper's, with k the number of ones of a decision; "gumbel"; "normal".
        seed: see `SeededNoise`.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        strength: float = 1.0,
        sigma: float = 0.5,
        num_samples: int = 1,
        noise: str = "sum_of_gamma",
        seed: int = 0,
        *,
        oracle: str | Oracle | Limits = "auto",
    ) -> None:
        super().__init__(problem, oracle=oracle)
        if not strength > 0 or not sigma >= 0 or num_samples < 1:
            raise UnsupportedError("strength must be positive, sigma >= 0 and num_samples at least 1.")
        self.strength, self.sigma, self.num_samples = strength, sigma, num_samples
        self.noise = SeededNoise(noise, seed)
        self._cardinality: ProblemCache[int] = ProblemCache()

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        perturbed = self.perturb(problem, theta)
        z = self.solve(problem, perturbed)

        def adjoint(grad: Tensor) -> Tensor:
            step = self.strength * matching_step(theta, grad)
            return (self.solve(problem, perturbed + step * grad) - z).mean(0) / step

        return z.mean(0), adjoint

    def perturb(self, problem: Problem, theta: Tensor) -> Tensor:
        """(batch, n) -> (M, batch, n)."""
        k = self._ones(problem) if self.noise.law == "sum_of_gamma" else 1
        xi = self.noise(self.num_samples, theta, cardinality=k)
        return theta - self.sigma * cost_scale(theta) * xi

    def _ones(self, problem: Problem) -> int:
        """Ones of a decision at equal costs; grid paths, tours and assignments all have that many."""

        def ones() -> int:
            equal = torch.full((1, problem.num_costs), float(problem.cost_sign), dtype=torch.float64)
            return max(1, int(torch.round(self.solve(problem, equal).sum())))

        return self._cardinality.get(problem, ones)
