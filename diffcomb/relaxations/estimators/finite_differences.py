"""Finite differences wide enough to cross from one decision to another."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Adjoint, SeededNoise, cost_scale
from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem
from diffcomb.relaxations.exact_decision import ExactDecision


class FiniteDifferences(ExactDecision):
    """Forward z*(theta), backward (g'z*(theta + h e_i) - g'z*(theta - h e_i)) / (2 h) for each coordinate i.

    h = width mean|theta|. It is the exact derivative in coordinate i of g'z* averaged over
    [theta_i - h, theta_i + h]; as h -> 0 it becomes zero almost surely, the derivative of z*. With K
    random directions u it is the mean of u (g'z*(theta + h u) - g'z*(theta - h u)) / (2 h) instead.
    Oracle calls: 1 forward, 2 n (2 K) backward, in one batch of that many rows. Biased by h.

    Args:
        width: small: faithful, mostly zero. Large: informative, smooth.
        num_directions: None: the coordinates. K: standard normal directions, cheaper and noisier.
        seed: of the directions.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        width: float = 1.0,
        num_directions: int | None = None,
        seed: int = 0,
        *,
        oracle: str | Oracle | Limits = "auto",
    ) -> None:
        super().__init__(problem, oracle=oracle)
        if not width > 0 or (num_directions is not None and num_directions < 1):
            raise UnsupportedError("width must be positive and num_directions at least 1, or None.")
        self.width, self.num_directions = width, num_directions
        self.noise = SeededNoise("normal", seed)

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        z = self.solve(problem, theta)

        def adjoint(grad: Tensor) -> Tensor:
            h = self.width * cost_scale(theta)
            u = self._directions(theta)
            ahead, back = self.solve(problem, torch.stack([theta + h * u, theta - h * u]))
            slope = ((ahead - back) * grad).sum(-1, keepdim=True) / (2 * h)
            return (slope * u).sum(0) / (self.num_directions or 1)

        return z, adjoint

    def _directions(self, theta: Tensor) -> Tensor:
        """(K, batch, n)."""
        if self.num_directions is not None:
            return self.noise(self.num_directions, theta)
        n = theta.shape[-1]
        return torch.eye(n, dtype=theta.dtype, device=theta.device)[:, None].expand(n, len(theta), n)
