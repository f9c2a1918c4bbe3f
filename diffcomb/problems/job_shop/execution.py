"""What happens to a schedule when other durations occur than those it was planned with."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems.job_shop.shop import Shop
from diffcomb.problems.job_shop.timing import earliest_starts, sequence_of, tree_adjoint


def retimed_starts(problem: Shop, plan: Tensor, durations: Tensor) -> Tensor:
    """The plan's order on every machine at the best times for the durations that occur.

    As early as that order allows, where the objective grows with every start; at the optimum of the
    start-time program for earliness and tardiness. Piecewise constant in the plan.

    Args:
        plan: (..., n) planned start times (floating), or sequences (integer: an order of all
            operations in which each comes after its predecessors).
        durations: (..., n) the durations that occur.
    """
    plans, true = torch.broadcast_tensors(plan.detach(), problem.check_costs(durations.detach()))
    p = true.reshape(-1, problem.num_costs).cpu().double().numpy()
    rows = plans.reshape(-1, problem.num_costs).cpu().numpy()
    out = np.empty_like(p)
    for k, (row, occurred) in enumerate(zip(rows, p, strict=True)):
        given = np.issubdtype(row.dtype, np.integer)
        sequence = row.astype(np.int64) if given else _planned_order(problem, row)
        _check_sequence(problem, sequence)
        out[k] = problem.timing(sequence, occurred).starts
    return torch.from_numpy(out).to(durations.device, durations.dtype).reshape(true.shape)


def _planned_order(problem: Shop, starts: np.ndarray) -> np.ndarray:
    # equal starts (operations of duration 0, rounding) fall back to the order within jobs
    return np.lexsort((np.arange(problem.num_costs) - problem.first[problem.job], starts))


def _check_sequence(problem: Shop, sequence: np.ndarray) -> None:
    if not np.array_equal(np.sort(sequence), np.arange(problem.num_costs)):
        raise InvalidInstanceError(f"A sequence lists each of the {problem.num_costs} operations once.")
    position = np.argsort(sequence)
    inside = problem.job[1:] == problem.job[:-1]
    if (position[1:][inside] < position[:-1][inside]).any():
        raise InvalidInstanceError("The plan puts an operation before its predecessor in its job.")


class _Executed(torch.autograd.Function):
    """a_i = max(planned_i, ends of the predecessors in the plan's order), at the durations that occur."""

    @staticmethod
    def forward(ctx: Any, planned: Tensor, durations: Tensor, problem: Shop) -> Tensor:
        plans, true = (t.detach().cpu().double().numpy() for t in (planned, durations))
        ctx.trees, rows = [], np.empty_like(plans)
        for row, plan, p in zip(rows, plans, true, strict=True):
            sequence = sequence_of(plan, np.zeros_like(p))
            row[:], parent, _ = earliest_starts(sequence, problem.job, problem.machine, p, plan)
            ctx.trees.append((sequence, parent))
        return torch.from_numpy(rows).to(planned.device, planned.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        given = grads[0].cpu().double().numpy()
        rows = np.empty_like(given)
        for row, (sequence, parent), g in zip(rows, ctx.trees, given, strict=True):
            row[:] = tree_adjoint(sequence, parent, (parent >= 0).astype(np.int64), g)[1]
        return torch.from_numpy(rows).to(grads[0].device, grads[0].dtype), None, None


def executed_starts(problem: Shop, planned: Tensor, durations: Tensor) -> Tensor:
    """Actual starts (batch, n) of a plan (batch, n): never before planned, in the planned order.

    Piecewise linear in the plan: an operation passes its gradient to the one whose planned start it
    ends up waiting for. Not differentiated in `durations`.
    """
    problem.check_costs(durations)
    return _Executed.apply(planned, durations, problem)


def planned_start_cost(
    problem: Shop, planned: Tensor, durations: Tensor, waiting: float = 1.0, idleness: float = 0.1
) -> Tensor:
    """f(C) + waiting sum_i (a_i - z_i) + idleness sum_m idle_m, (batch, n) and (batch, n) -> (batch,).

    a are the actual starts (`executed_starts`) of the planned z, C the actual ends of the jobs, idle_m
    the time between machine m's operations; differentiable in the plan.
    """
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
