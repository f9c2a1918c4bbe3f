"""Problems of one kind that differ from instance to instance."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch

from diffcomb.problems.problem import Problem


@runtime_checkable
class ProblemFamily(Protocol):
    """Where a data set whose instances have different sizes or structures draws its problems.

    A layer over a family is built over no problem at all and is told the problems at every call. Its
    `repr` names the parameters: checkpoints remember it.

    Attributes:
        cost_sign: as for `Problem`, the same for all members.
    """

    @property
    def cost_sign(self) -> int: ...

    def draw(self, generator: torch.Generator) -> Problem:
        """The next member; the same generator, the same members."""
