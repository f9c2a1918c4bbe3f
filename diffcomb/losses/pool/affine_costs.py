"""Costs that are affine in theta, of decisions that are compared at many theta."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from diffcomb.problems import Problem


class AffineCosts(NamedTuple):
    """What k decisions w cost: theta'g(w) + h(w), which is theta'w where the objective is linear.

    slope: g (k, n). constant: h (k,).
    """

    slope: Tensor
    constant: Tensor

    @staticmethod
    def of(problem: Problem, decisions: Tensor) -> AffineCosts:
        """decisions (k, n)."""
        own = type(problem).objective is Problem.objective and type(problem).cost_of is Problem.cost_of
        # a cost map has a sense and known costs of its own, and costs fewer or more than variables
        if own and problem.cost_map is None:
            return AffineCosts(decisions, decisions.new_zeros(len(decisions)))
        with torch.inference_mode(False), torch.enable_grad():
            zero = decisions.new_zeros(len(decisions), problem.num_costs).requires_grad_()
            constant = problem.cost_of(decisions.clone(), zero)
            (slope,) = torch.autograd.grad(constant.sum(), zero)
        return AffineCosts(slope, constant.detach())

    def each(self, theta: Tensor) -> Tensor:
        """Of decision i at theta_i, (k, n) -> (k,)."""
        return (theta * self.slope).sum(-1) + self.constant

    def all(self, theta: Tensor) -> Tensor:
        """Of every decision at every theta, (rows, n) -> (rows, k)."""
        return theta @ self.slope.T + self.constant
