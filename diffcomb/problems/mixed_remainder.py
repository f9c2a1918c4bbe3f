"""The derivative of the continuous part of mixed-integer decisions, for a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb.program.remainder_gradient import RemainderGradient


@dataclass(frozen=True, eq=False)
class MixedRemainder:
    """adjoint: d loss / d decision (batch, n) -> d loss / d theta (batch, P); tied: (batch,) bool."""

    problem: Any
    gradients: tuple[RemainderGradient, ...]
    tied: Tensor

    @staticmethod
    def of(problem: Any, decision: Tensor, theta: Tensor) -> MixedRemainder:
        """Of a `MixedIntegerProgram` at optimal decisions (batch, n) for theta (batch, P)."""
        given, points = theta.detach().cpu().double(), decision.detach().cpu().double().numpy()
        gradients = tuple(
            RemainderGradient.of(problem.rows_at(p), problem.costs_of(p).numpy(), x)
            for p, x in zip(given, points, strict=True)
        )
        return MixedRemainder(
            problem, gradients, torch.tensor([one.tied for one in gradients], device=theta.device)
        )

    def adjoint(self, grad: Tensor) -> Tensor:
        given = grad.detach().cpu().double().numpy()
        pulled = [self._pulled(one, g) for one, g in zip(self.gradients, given, strict=True)]
        if not pulled:
            return grad.new_zeros(0, self.problem.num_costs)
        return torch.stack(pulled).to(grad)

    def _pulled(self, gradient: RemainderGradient, grad: np.ndarray) -> Tensor:
        problem = self.problem
        costs, rows = gradient.pull(grad)
        of_costs = torch.from_numpy(costs)
        pulled = of_costs if problem.cost_map is None else problem.cost_map.pull(of_costs)
        return pulled if problem.parameters is None else pulled + problem.parameters.pull(rows)
