"""The call all soft decisions share: relaxed while training, feasible when judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from diffcomb.errors import InvalidCostsError, UnsupportedError
from diffcomb.problems import Problem


class SoftDecision(nn.Module):
    """Training: a soft decision x(theta), differentiable by autograd. Evaluation: a member of Z.

    Called like a DecisionLayer. Subclasses write `soft` and `decode` for one problem and one batch.

    Args:
        problem: what is decided; or a list of problems, called with a list of cost vectors.
        seed: of all noise; call number t of a training draws from (seed, t), so a resumed training
            goes on with the noise it would have had.

    Attributes:
        calls: training calls so far, part of the state.

    Raises:
        UnsupportedError: the method does not know this problem.
    """

    #: the problems the method knows
    applies_to: tuple[type[Problem], ...] = ()

    def __init__(self, problem: Problem | Sequence[Problem], seed: int = 0) -> None:
        super().__init__()
        self.problem, self.seed = problem, seed
        self.calls: Tensor
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        for one in [problem] if isinstance(problem, Problem) else problem:
            self._check(one)

    def forward(self, theta: Tensor | Sequence[Tensor], problems: Sequence[Problem] | None = None) -> Any:
        """theta (batch, n), (n,), or a list of (n_i,) with one problem each -> the same structure."""
        if isinstance(theta, Tensor):
            if problems is not None or not isinstance(self.problem, Problem):
                raise InvalidCostsError("A layer over a list of problems takes a list of cost vectors.")
            out: Any = self._decide(self.problem, theta)
        else:
            own = [self.problem] * len(theta) if isinstance(self.problem, Problem) else self.problem
            out = [self._decide(p, t) for p, t in zip(problems or own, theta, strict=True)]
        if self.training:
            self.calls += 1
        return out

    def soft(self, problem: Any, theta: Tensor) -> Tensor:
        """theta (batch, n) float64 -> x (batch, n), differentiable."""
        raise NotImplementedError

    def decode(self, problem: Any, theta: Tensor) -> Tensor:
        """theta (batch, n) float64, detached -> z (batch, n) in Z."""
        raise NotImplementedError

    def generator(self, device: torch.device) -> torch.Generator:
        """The noise of this call; evaluation always draws the same."""
        call = int(self.calls) if self.training else -1
        return torch.Generator(device).manual_seed(1_000_003 * self.seed + call + 1)

    def _decide(self, problem: Problem, theta: Tensor) -> Tensor:
        self._check(problem)
        theta = problem.check_costs(theta)
        rows = theta.reshape(-1, problem.num_costs).double()
        x = self.soft(problem, rows) if self.training else self.decode(problem, rows.detach())
        return x.reshape(theta.shape).to(theta.device, theta.dtype)

    def _check(self, problem: Problem) -> None:
        if not isinstance(problem, self.applies_to):
            known = ", ".join(kind.__name__ for kind in self.applies_to)
            raise UnsupportedError(
                f"{type(self).__name__} does not apply to {type(problem).__name__}, only to {known}."
            )


def mean_scale(theta: Tensor) -> Tensor:
    """(batch, 1) mean |theta|, positive: costs divided by it make temperatures free of units."""
    return theta.abs().mean(-1, keepdim=True).clamp_min(1e-12)
