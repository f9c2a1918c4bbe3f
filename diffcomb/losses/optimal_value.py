"""Match the optimal value."""

from __future__ import annotations

from torch import Tensor

from diffcomb.layers import optimal_value
from diffcomb.losses.loss import Loss
from diffcomb.problems import Problem


class OptimalValueLoss(Loss):
    """l(theta; c, z) = 1/2 (V(theta) - c'z)^2, gradient (V(theta) - c'z) z*(theta), exact (Danskin).

    c'z is the problem's objective, z*(theta) its value gradient. Teaches what the best decision will
    cost, for quotes and budgets; it says nothing about edges that no optimal decision uses, so it is
    weaker on regret than losses made for it. One exact solve per instance; rho plays no part.

    Args:
        layer: gives the problem, its oracle and limits.
    """

    needs = ("costs", "decisions")

    def block_loss(self, problem: Problem, theta: Tensor, costs: Tensor, z_true: Tensor) -> Tensor:
        value = optimal_value(problem, theta, oracle=self.limits)
        return 0.5 * (value - problem.objective(z_true, costs)).square()
