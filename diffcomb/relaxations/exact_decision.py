"""The exact decision with its true derivative, zero; other relaxations replace the derivative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from diffcomb.layers import Adjoint, attach_adjoint, exact_decisions, members_by_problem, refuse_start_times
from diffcomb.oracles import Limits, find_oracle
from diffcomb.problems import Problem


class ExactDecision(nn.Module):
    """Forward z*(theta), backward 0: the derivative of z* wherever it has one.

    The layer behind losses that bring their own gradient (SPO+, perturbed Fenchel-Young, ranking, ...),
    and the frame of the estimators: they override `estimate`. Without gradient (validation, test,
    `torch.no_grad`) every one of them returns z*(theta) from the oracle.

    Args:
        problem: what is decided; or a list of problems, called with a list of cost vectors.
        oracle: a name, or Limits with limits.
    """

    def __init__(self, problem: Problem | Sequence[Problem], *, oracle: str | Limits = "auto") -> None:
        super().__init__()
        self.problem = problem
        self.oracle = Limits(oracle) if isinstance(oracle, str) else oracle
        if isinstance(problem, Problem):
            find_oracle(self.oracle.oracle, problem)  # refuse an unknown name now, not in the first epoch

    def forward(self, theta: Tensor | Sequence[Tensor], problems: Sequence[Problem] | None = None) -> Any:
        """theta (batch, n) or (n,), or a list of (n_i,) for a list of problems -> decisions alike."""
        if isinstance(theta, Tensor) and isinstance(self.problem, Problem) and problems is None:
            batch = self.problem.check_costs(theta)
            return self._decide(self.problem, batch.reshape(-1, self.problem.num_costs)).reshape(theta.shape)
        decisions: list[Any] = [None] * len(theta)
        for problem, rows in members_by_problem(self.problem, problems, len(theta)).items():
            batch = problem.check_costs(torch.stack([theta[i] for i in rows]))
            for i, decision in zip(rows, self._decide(problem, batch), strict=True):
                decisions[i] = decision
        return decisions

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        """The decision and its adjoint, g -> what stands in for d loss / d theta.

        Args:
            theta: (batch, n) float64, detached.
        """
        return self.solve(problem, theta), torch.zeros_like

    def solve(self, problem: Problem, costs: Tensor) -> Tensor:
        """z*(costs), (..., n) -> (..., n), one oracle call for all rows."""
        return exact_decisions(problem, costs, self.oracle)

    def _decide(self, problem: Problem, theta: Tensor) -> Tensor:
        refuse_start_times(problem)
        costs = theta.detach().double()
        if not (theta.requires_grad and torch.is_grad_enabled()):
            return self.solve(problem, costs).to(theta.dtype)
        return attach_adjoint(theta, *self.estimate(problem, costs))
