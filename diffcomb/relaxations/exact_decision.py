"""The exact decision with its true derivative, zero; estimators replace the derivative."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from diffcomb.layers import Adjoint, attach_adjoint, exact_decisions, refuse_start_times
from diffcomb.oracles import Limits, Oracle, find_oracle
from diffcomb.problems import Problem
from diffcomb.relaxations.relaxation import Relaxation


class ExactDecision(Relaxation):
    """Forward z*(theta), backward 0: the derivative of z* wherever it has one.

    The layer behind losses that bring their own gradient (SPO+, perturbed Fenchel-Young, ranking, ...),
    and the frame of the estimators: they override `estimate`. Without gradient (validation, test,
    `torch.no_grad`) every one of them returns z*(theta) from the oracle.

    Args:
        problem: what is decided; or a list of problems, called with a list of cost vectors.
        oracle: a name, an oracle, or Limits.
    """

    def __init__(
        self, problem: Problem | Sequence[Problem], *, oracle: str | Oracle | Limits = "auto"
    ) -> None:
        super().__init__(problem)
        self.oracle = Limits.of(oracle)
        if isinstance(problem, Problem):
            find_oracle(self.oracle.oracle, problem)  # refuse an unknown name now, not in the first epoch

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        """The decision and its adjoint, g -> what stands in for d loss / d theta.

        Args:
            theta: (batch, n) float64, detached.
        """
        return self.solve(problem, theta), torch.zeros_like

    def solve(self, problem: Problem, costs: Tensor) -> Tensor:
        """z*(costs), (..., n) -> (..., n), one oracle call for all rows."""
        return exact_decisions(problem, costs, self.oracle)

    def decide(self, problem: Problem, theta: Tensor) -> Tensor:
        refuse_start_times(problem)
        if not (theta.requires_grad and torch.is_grad_enabled()):
            return self.solve(problem, theta).to(theta.dtype)
        # a copy: the adjoint still needs it when the caller has changed theta in place
        costs = theta.detach().to(torch.float64, copy=True)
        return attach_adjoint(theta, *self.estimate(problem, costs))
