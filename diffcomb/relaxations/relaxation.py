"""The call that all relaxations share with a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from diffcomb.layers import Costs, FullPrecision, group
from diffcomb.problems import Problem


class Relaxation(FullPrecision):
    """Costs in, decisions out, in the form, dtype and device of the costs; subclasses write `decide`.

    An empty batch has no decisions. Costs and decisions may be changed in place after the call: gradients
    are those of the call. State keeps its precision when a model is cast, see `FullPrecision`.

    Args:
        problem: what is decided; or a list of problems, called with a list of cost vectors.
    """

    def __init__(self, problem: Problem | Sequence[Problem]) -> None:
        super().__init__()
        self.problem: Any = problem

    def forward(self, theta: Costs, problems: Sequence[Problem] | None = None) -> Any:
        """theta (batch, n) or (n,), or a list of (n_i,) with one problem each -> decisions alike.

        Args:
            problems: in place of the relaxation's own for this call, one per entry of theta.
        """
        grouping = group(self.problem, theta, problems)
        return grouping.restore(
            [
                self.decide(block.problem, block.theta) if len(block.theta) else block.theta.clone()
                for block in grouping.blocks
            ]
        )

    def decide(self, problem: Any, theta: Tensor) -> Tensor:
        """Decisions (rows, n), differentiable in theta (rows, n), in its dtype; a tensor of their own."""
        raise NotImplementedError
