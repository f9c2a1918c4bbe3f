"""What a plan of start times costs when other durations occur."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.errors import UnsupportedError
from diffcomb.layers import DecisionLayer
from diffcomb.problems import JobShop, planned_start_cost


class PlannedStartLoss(nn.Module):
    """l = f(C) + waiting sum_i (a_i - z_i) + idleness sum_i idle_i, averaged over the batch.

    z = layer(theta) is the plan; material, operators and trucks come at z_i. With the true durations
    operation i starts at a_i = max(z_i, end of its predecessors): a plan that is too tight waits
    (a_i > z_i), one that is too loose leaves machines idle between operations although the next one
    could run. f is the problem's objective of the actual ends C_j (makespan, tardiness, ...).
    Differentiable through the start times: theta learns by how much to plan, not only in which order
    (the order itself is piecewise constant, and its changes give no gradient).

    Args:
        layer: a DecisionLayer over a JobShop.
        waiting: cost per unit of time and operation; large: plans become safe and loose.
        idleness: the same for machines idle between their operations; large: plans become tight.
    """

    needs = ("costs",)

    def __init__(self, layer: DecisionLayer, waiting: float = 1.0, idleness: float = 0.1) -> None:
        super().__init__()
        if waiting < 0 or idleness < 0:
            raise UnsupportedError("waiting and idleness must not be negative.")
        self.layer, self.waiting, self.idleness = layer, waiting, idleness

    def forward(self, theta: Tensor, durations: Tensor) -> Tensor:
        """theta, durations (batch, n): predicted and true -> scalar."""
        problem = self.layer.problem
        if not isinstance(problem, JobShop):
            raise UnsupportedError("PlannedStartLoss needs a layer over one JobShop.")
        return planned_start_cost(problem, self.layer(theta), durations, self.waiting, self.idleness).mean()
