"""Mixed-integer programs whose rows differ from instance to instance: answers, values and decisions move."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb.oracles import Limits, OracleAnswer
from diffcomb.program.multipliers import row_gradients
from diffcomb.program.remainder_gradient import RemainderGradient


def answer_each(problem: Any, theta: Tensor, limits: Limits) -> OracleAnswer:
    """The oracle's answers for theta (batch, P), each on its own rows, as many at a time as limits say."""
    one_each = replace(limits, num_workers=1)

    def decide(p: Tensor) -> OracleAnswer:
        return problem.at(p)._minimize(problem.costs_of(p[None]), one_each)

    with ThreadPoolExecutor(max(1, min(limits.workers, len(theta)))) as pool:
        answers = list(pool.map(decide, theta))
    if not answers:
        return OracleAnswer(np.zeros((0, problem.num_vars)), np.zeros(0), ())
    return OracleAnswer(
        np.concatenate([answer.decisions for answer in answers]),
        np.concatenate([answer.bounds for answer in answers]),
        sum((answer.statuses for answer in answers), ()),
    )


def row_share(problem: Any, z: Tensor, theta: Tensor) -> Tensor:
    """The rows' and the quadratic term's share of d min / dp at optimal z (..., n) for theta (..., P)."""
    given = theta.detach().cpu().double().reshape(-1, problem.num_costs)
    points = z.detach().cpu().double().reshape(-1, problem.num_vars).numpy()
    shares = [
        problem.parameters.pull(row_gradients(problem.rows_at(p), problem.costs_of(p).numpy(), x))
        for p, x in zip(given, points, strict=True)
    ]
    return torch.stack(shares).reshape(theta.shape) if shares else torch.zeros(theta.shape)


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
