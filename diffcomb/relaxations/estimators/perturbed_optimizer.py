"""The perturbed optimiser."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Adjoint, Perturbation, cost_scale
from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem
from diffcomb.relaxations.exact_decision import ExactDecision


class PerturbedOptimizer(ExactDecision):
    """Forward zbar = (1/M) sum z_m, z_m = z*(theta + s xi_m); backward the score-function estimate
    (1/((M - 1) s)) sum g'(z_m - zbar) xi_m, s = sigma mean|theta| (or sigma, kind "absolute").

    Berthet et al., NeurIPS 2020, arXiv:2002.08676 (DPO). E z*(theta + s xi) is smooth and its Jacobian
    is E[z xi'] / s; centring by zbar is the leave-one-out baseline of REINFORCE, so the estimate stays
    unbiased (for s held constant). Multiplicative noise, z_m = z*(theta exp(sigma xi_m - sigma^2/2)),
    is additive in log|theta|: the estimate is divided by sigma theta instead of s.
    Oracle calls: M forward, 0 backward. Variance ~ n / (M sigma^2).

    Args:
        sigma, num_samples, kind, seed: see `Perturbation`; num_samples at least 2.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        sigma: float = 1.0,
        num_samples: int = 10,
        kind: str = "additive",
        seed: int = 0,
        *,
        oracle: str | Oracle | Limits = "auto",
    ) -> None:
        super().__init__(problem, oracle=oracle)
        if num_samples < 2:
            raise UnsupportedError("PerturbedOptimizer needs num_samples >= 2 to centre its estimate.")
        self.perturbation = Perturbation(sigma, num_samples, kind, seed)

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        costs, xi = self.perturbation(theta)
        z = self.solve(problem, costs)
        mean = z.mean(0)

        def adjoint(grad: Tensor) -> Tensor:
            weight = ((z - mean) * grad).sum(-1, keepdim=True)
            estimate = (weight * xi).sum(0) / (len(z) - 1) / self.perturbation.sigma
            if self.perturbation.kind == "additive":
                return estimate / cost_scale(theta)
            if self.perturbation.kind == "absolute":
                return estimate
            # a cost of zero stays zero under multiplicative noise: no information about it
            return torch.where(theta != 0, estimate / torch.where(theta != 0, theta, 1.0), 0.0)

        return mean, adjoint
