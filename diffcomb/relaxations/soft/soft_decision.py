"""The call all soft decisions share: relaxed while training, feasible when judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Costs
from diffcomb.problems import Problem
from diffcomb.relaxations.relaxation import Relaxation


class SoftDecision(Relaxation):
    """Training: a soft decision x(theta), differentiable by autograd. Evaluation: a member of Z.

    Subclasses write `soft` and `decode` for one problem and one batch.

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
    calls: Tensor

    def __init__(self, problem: Problem | Sequence[Problem], seed: int = 0) -> None:
        super().__init__(problem)
        self.seed = seed
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        for one in [problem] if isinstance(problem, Problem) else problem:
            self._check(one)

    def forward(self, theta: Costs, problems: Sequence[Problem] | None = None) -> Any:
        """As `Relaxation.forward`."""
        decisions = super().forward(theta, problems)
        if self.training:
            self.calls += 1
        return decisions

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

    def decide(self, problem: Problem, theta: Tensor) -> Tensor:
        self._check(problem)
        rows = theta.double()
        x = self.soft(problem, rows) if self.training else self.decode(problem, rows.detach())
        # a tensor of its own: the backward pass may need x as it is now
        return x.to(theta.device, theta.dtype, copy=True)

    def _check(self, problem: Problem) -> None:
        if not isinstance(problem, self.applies_to):
            known = ", ".join(kind.__name__ for kind in self.applies_to)
            raise UnsupportedError(
                f"{type(self).__name__} does not apply to {type(problem).__name__}, only to {known}."
            )


def mean_scale(theta: Tensor) -> Tensor:
    """(batch, 1) mean |theta|, differentiable; costs divided by it make temperatures free of units.

    1 where theta = 0, which has no scale of its own.
    """
    # divided before they are added up: a sum of finite costs may overflow
    scale = (theta.abs() / theta.shape[-1]).sum(-1, keepdim=True)
    return torch.where(scale > 0, scale, 1.0)
