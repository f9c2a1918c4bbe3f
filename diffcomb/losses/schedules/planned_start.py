"""What a plan of start times costs when other durations occur."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Costs
from diffcomb.losses.loss import Loss
from diffcomb.losses.schedules.job_shops_only import job_shop_of
from diffcomb.problems import Problem, planned_start_cost


class PlannedStartLoss(Loss):
    """l = f(C) + waiting sum_i (a_i - z_i) + idleness sum_m idle_m + anchor mean_i (theta_i - p_i)^2.

    Averaged over the batch. z = layer(theta) is the plan, p the true durations; material, operators and
    trucks come at z_i. With the true durations operation i starts at a_i = max(z_i, end of its
    predecessors): a plan that is too tight waits (a_i > z_i), one that is too loose leaves machines idle
    between operations although the next one could run. f is the problem's objective of the actual ends
    C_j (makespan, tardiness, ...).
    Differentiable through the start times: theta learns by how much to plan, not only in which order
    (the order itself is piecewise constant, and its changes give no gradient).

    Args:
        layer: a DecisionLayer over a JobShop.
        waiting: cost per unit of time and operation; large: plans become safe and loose.
        idleness: the same for machines idle between their operations; large: plans become tight.
        anchor: of the squared error, in units of cost per squared unit of time. It also moves operations
            and orders that the plan's cost is flat in, and rules early on, while errors are large.
            Small: the plan's cost alone decides in the end; large: two-stage training. 0: none.
    """

    needs = ("costs",)

    def __init__(
        self, layer: nn.Module, waiting: float = 1.0, idleness: float = 0.1, anchor: float = 0.0
    ) -> None:
        super().__init__(layer)
        if min(waiting, idleness, anchor) < 0:
            raise UnsupportedError("waiting, idleness and anchor must not be negative.")
        self.waiting, self.idleness, self.anchor = waiting, idleness, anchor
        job_shop_of(layer.problem, self)

    def forward(  # type: ignore[override]
        self, theta: Costs, durations: Costs, problems: Sequence[Problem] | None = None
    ) -> Tensor:
        """theta, durations: predicted and true -> scalar."""
        return super().forward(theta, durations, problems=problems)

    def decide(self, problems: Sequence[Problem] | None, *given: Costs) -> tuple[Costs]:
        return (self.layer(given[0], problems),)

    def block_loss(self, problem: Problem, theta: Tensor, durations: Tensor, plan: Tensor) -> Tensor:
        shop = job_shop_of(problem, self)
        cost = planned_start_cost(shop, plan, durations, self.waiting, self.idleness)
        return cost + self.anchor * (theta - durations).square().mean(-1) if self.anchor else cost
