"""Straight-through: the gradient of a smooth decision without constraints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Adjoint, cost_scale
from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem
from diffcomb.relaxations.exact_decision import ExactDecision


class StraightThrough(ExactDecision):
    """Forward z*(theta), backward -p (1 - p) g / T with p = sigmoid(-theta / T), T = temperature mean|theta|.

    Bengio, Leonard & Courville 2013, arXiv:1308.3432 (STE). p is the entropic relaxation of min theta'z
    over {0,1}^n, each coordinate on its own; as T grows the backward pass becomes -g up to a factor, the
    negative identity. Oracle calls: 1 forward, 0 backward. Biased: it ignores the feasible set.

    Args:
        temperature: small: only coordinates with costs near zero learn. Large: negative identity.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        temperature: float = 1.0,
        *,
        oracle: str | Oracle | Limits = "auto",
    ) -> None:
        super().__init__(problem, oracle=oracle)
        if not temperature > 0:
            raise UnsupportedError(f"temperature must be positive, got {temperature}.")
        self.temperature = temperature

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        unit = self.temperature * cost_scale(theta)
        p = torch.sigmoid(-theta / unit)
        slope = -p * (1 - p) / unit
        return self.solve(problem, theta), lambda grad: slope * grad
