"""What a plan of start times costs when other durations occur."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.errors import UnsupportedError
from diffcomb.layers import DecisionLayer
from diffcomb.problems import JobShop, planned_start_cost


class PlannedStartLoss(nn.Module):
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
        self, layer: DecisionLayer, waiting: float = 1.0, idleness: float = 0.1, anchor: float = 0.0
    ) -> None:
        super().__init__()
        if min(waiting, idleness, anchor) < 0:
            raise UnsupportedError("waiting, idleness and anchor must not be negative.")
        self.layer, self.waiting, self.idleness, self.anchor = layer, waiting, idleness, anchor

    def forward(self, theta: Tensor, durations: Tensor) -> Tensor:
        """theta, durations (batch, n): predicted and true -> scalar."""
        problem = self.layer.problem
        if not isinstance(problem, JobShop):
            raise UnsupportedError("PlannedStartLoss needs a layer over one JobShop.")
        plan = self.layer(theta)
        cost = planned_start_cost(problem, plan, durations, self.waiting, self.idleness).mean()
        return cost + self.anchor * (theta - durations).square().mean() if self.anchor else cost
