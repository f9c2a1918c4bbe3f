"""What a plan of start times costs when other durations occur."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from diffcomb.errors import UnsupportedError
from diffcomb.layers import DecisionLayer
from diffcomb.problems import JobShop
from diffcomb.problems.timing import earliest_starts, sequence_of, tree_adjoint


class _Executed(torch.autograd.Function):
    """a_i = max(planned_i, ends of the predecessors in the plan's order), at the durations that occur."""

    @staticmethod
    def forward(ctx: Any, planned: Tensor, durations: Tensor, problem: JobShop) -> Tensor:
        plans, true = (t.detach().cpu().double().numpy() for t in (planned, durations))
        ctx.trees, rows = [], []
        for plan, p in zip(plans, true, strict=True):
            sequence = sequence_of(plan, np.zeros_like(p))
            starts, parent, _ = earliest_starts(sequence, problem.job, problem.machine, p, plan)
            ctx.trees.append((sequence, parent))
            rows.append(starts)
        return torch.from_numpy(np.stack(rows)).to(planned.device, planned.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        rows = []
        for (sequence, parent), g in zip(ctx.trees, grads[0].cpu().double().numpy(), strict=True):
            rows.append(tree_adjoint(sequence, parent, (parent >= 0).astype(np.int64), g)[1])
        return torch.from_numpy(np.stack(rows)).to(grads[0].device, grads[0].dtype), None, None


def executed_starts(problem: JobShop, planned: Tensor, durations: Tensor) -> Tensor:
    """Actual starts (batch, n) of a plan (batch, n): never before planned, in the planned order.

    Piecewise linear in the plan: an operation passes its gradient to the one whose planned start it
    ends up waiting for. Not differentiated in `durations`.
    """
    problem.check_costs(durations)
    return _Executed.apply(planned, durations, problem)


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


def planned_start_cost(
    problem: JobShop, planned: Tensor, durations: Tensor, waiting: float = 1.0, idleness: float = 0.1
) -> Tensor:
    """The cost of plans under durations, (batch, n) and (batch, n) -> (batch,); see PlannedStartLoss."""
    actual = executed_starts(problem, planned, durations)
    cost = problem.objective(actual, durations) + waiting * (actual - planned).sum(-1)
    if idleness:
        machine = torch.as_tensor(problem.machine, device=planned.device)
        for m in range(problem.num_machines):
            on = machine == m
            if bool(on.any()):
                ends = (actual + durations)[:, on].amax(-1)
                idle = ends - actual[:, on].amin(-1) - durations[:, on].sum(-1)
                cost = cost + idleness * idle
    return cost
