"""Two-stage prediction: decide exactly on predicted costs, send no gradient through the decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from diffcomb.layers import DecisionLayer
from diffcomb.problems import Problem


class TwoStage(nn.Module):
    """Forward z*(theta), backward nothing: train the encoder on costs (CostMSELoss) instead.

    Oracle calls: 1 forward, 0 backward. Needs true costs. The control of every comparison.

    Args:
        problem: what is decided; or a list of problems.
        oracle, time_limit, num_workers: of the exact decision; see `Problem.solve`.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        *,
        oracle: str = "auto",
        time_limit: float | None = None,
        num_workers: int | None = None,
    ) -> None:
        super().__init__()
        self.problem = problem
        self._exact = DecisionLayer(problem, oracle=oracle, time_limit=time_limit, num_workers=num_workers)
        self.oracle = self._exact.oracle

    def forward(self, theta: Tensor | Sequence[Tensor], problems: Sequence[Problem] | None = None) -> Any:
        """theta as for a DecisionLayer -> exact decisions, detached."""
        detached = theta.detach() if isinstance(theta, Tensor) else [t.detach() for t in theta]
        return self._exact(detached, problems)
