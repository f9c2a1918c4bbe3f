"""One loss to start with, another to finish with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from diffcomb.errors import InvalidInstanceError
from diffcomb.layers import Costs
from diffcomb.losses.loss import Loss
from diffcomb.problems import Problem


class StagedLoss(Loss):
    """`first` for `steps` training steps, then `then`.

    Decision-focused losses that are not convex, or whose gradients vanish where decisions do not
    change, start well from costs learned by a two-stage loss.

    Args:
        layer: handed to both.
        first, then: layer -> loss, for instance the classes themselves.
        steps: calls with gradients that go to `first`. 0: `then` alone.
    """

    def __init__(
        self,
        layer: nn.Module,
        first: Callable[[nn.Module], nn.Module],
        then: Callable[[nn.Module], nn.Module],
        steps: int,
    ) -> None:
        super().__init__()
        if steps < 0:
            raise InvalidInstanceError(f"steps must not be negative, got {steps}.")
        self.first, self.then, self.steps = first(layer), then(layer), steps
        self.done: Tensor
        #: in checkpoints, so that a resumed run goes on in the right stage
        self.register_buffer("done", torch.zeros((), dtype=torch.int64))
        #: fields of a batch that either of the two takes
        self.needs = tuple(dict.fromkeys((*self.first.needs, *self.then.needs)))  # type: ignore[misc]

    def forward(
        self,
        theta: Costs,
        *supervision: Any,
        problems: Sequence[Problem] | None = None,
        costs: Costs | None = None,
        z_true: Costs | None = None,
    ) -> Tensor:
        """theta, then the fields in `needs`, then the problems where instances bring their own -> scalar."""
        fields, problems = self._named(supervision, {"costs": costs, "decisions": z_true}, problems)
        current = self.first if int(self.done) < self.steps else self.then
        own = () if problems is None else (problems,)
        loss: Tensor = current(theta, *(fields[name] for name in current.needs), *own)  # type: ignore[union-attr]
        if torch.is_grad_enabled():
            self.done += 1
        return loss
