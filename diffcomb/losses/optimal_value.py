"""Match the optimal value."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.layers import DecisionLayer, optimal_value
from diffcomb.losses.batch import Batch, as_rows, mean_of
from diffcomb.problems import Problem


class OptimalValueLoss(nn.Module):
    """l(theta; c, z) = 1/2 (V(theta) - c'z)^2, gradient (V(theta) - c'z) z*(theta), exact (Danskin).

    Teaches what the best decision will cost, for quotes and budgets; it says nothing about edges
    that no optimal decision uses, so it is weaker on regret than losses made for it. One exact
    solve per instance; rho plays no part.

    Args:
        layer: gives the problem, its oracle and limits.
    """

    needs = ("costs", "decisions")

    def __init__(self, layer: DecisionLayer) -> None:
        super().__init__()
        self.layer = layer

    def forward(
        self, theta: Batch, costs: Batch, z_true: Batch, problems: list[Problem] | None = None
    ) -> Tensor:
        """theta, costs, z_true (batch, n), or lists of (n_i,) vectors -> scalar."""
        rows = as_rows(theta)
        if problems is None:
            problem = self.layer.problem
            problems = [problem] * len(rows) if isinstance(problem, Problem) else list(problem)
        settings = self.layer.oracle
        return mean_of(
            0.5
            * (
                optimal_value(p, t, oracle=settings.oracle, time_limit=settings.time_limit)
                - p.objective(z, c)
            ).square()
            for p, t, c, z in zip(problems, rows, as_rows(costs), as_rows(z_true), strict=True)
        )
