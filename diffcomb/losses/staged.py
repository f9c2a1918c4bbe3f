"""One loss to start with, another to finish with."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from diffcomb.errors import InvalidInstanceError
from diffcomb.losses.batch import Batch
from diffcomb.problems import Problem


class StagedLoss(nn.Module):
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
        self, theta: Batch, *supervision: Batch | list[Problem], problems: list[Problem] | None = None
    ) -> Tensor:
        """theta, then the fields in `needs`, then the problems where instances bring their own -> scalar."""
        fields = dict(zip(self.needs, supervision, strict=False))
        own = supervision[len(self.needs) :] or (() if problems is None else (problems,))
        current = self.first if int(self.done) < self.steps else self.then
        if torch.is_grad_enabled():
            self.done += 1
        loss: Tensor = current(theta, *(fields[name] for name in current.needs), *own)  # type: ignore[union-attr]
        return loss
