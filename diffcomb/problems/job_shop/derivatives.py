"""Derivatives of optimal schedules: of the start times, and of the optimal value."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from diffcomb.problems.job_shop.shop import Shop
from diffcomb.problems.job_shop.timing import Timing, tie_breaking_noise


class ScheduleRemainder:
    """Start times of schedules whose machine sequences are locally constant; see `Remainder`.

    They move with the durations along the tree of tight constraints of the start-time program: longest
    paths where f grows with every start, its KKT system at the optimal sequence for due-date costs. The
    adjoint is one pass over that tree.

    Args:
        starts, durations: (batch, n) float64, optimal schedules.
    """

    def __init__(self, shop: Shop, starts: Tensor, durations: Tensor) -> None:
        rows = list(zip(starts.detach().cpu().numpy(), durations.detach().cpu().numpy(), strict=True))
        self._timings: list[Timing] = [shop.timing_of(s, p) for s, p in rows]
        tied = [
            timing.tied or shop.unit(p) is not None
            for timing, (_, p) in zip(self._timings, rows, strict=True)
        ]
        #: (batch,) bool; durations that are whole multiples of a unit can tie by construction
        self.tied = torch.tensor(tied, dtype=torch.bool, device=starts.device)

    def adjoint(self, grad: Tensor) -> Tensor:
        """(ds/dp)' grad, (batch, n) -> (batch, n)."""
        inner = grad.detach().cpu().numpy()
        out = np.empty(inner.shape)
        for row, timing, g in zip(out, self._timings, inner, strict=True):
            row[:] = timing.adjoint(g)
        return torch.from_numpy(out).to(grad.device)


def value_gradient(shop: Shop, starts: np.ndarray, durations: np.ndarray) -> np.ndarray:
    """dV/dp at an optimal schedule, (n,) and (n,) -> (n,).

    The multipliers of the start-time program: f's slope at each job's end, carried back along the tree of
    tight constraints. 1 on the critical path for the makespan. On ties one generalised gradient.
    """
    timing = shop.timing_of(starts, durations)
    ends = timing.starts[shop.last] + durations[shop.last]
    work = float(durations.sum())
    slope = np.zeros(shop.num_jobs)
    if shop.criterion == "makespan":
        # of several jobs that end last, the one that is last when durations are nudged
        nudge = tie_breaking_noise(shop.num_costs) * (1e-9 * durations.max(initial=1e-300))
        nudged = shop.timing_of(timing.starts, durations + nudge).starts[shop.last] + nudge[shop.last]
        candidates = np.flatnonzero(ends >= ends.max() - 1e-9 * work)
        slope[candidates[(nudged + durations[shop.last])[candidates].argmax()]] = 1.0
    elif shop.criterion == "completion":
        slope += shop.weights
    else:
        # dates far from 0 have fewer digits left for the durations
        tolerance = 1e-9 * work + 8 * np.finfo(np.float64).eps * np.abs(shop.due_dates)
        slope += shop.weights * (ends > shop.due_dates + tolerance)
        if shop.criterion == "earliness_tardiness":
            slope -= shop.earliness_weights * (ends < shop.due_dates - tolerance)
    grad = np.zeros(shop.num_costs)
    grad[shop.last] = slope
    return timing.adjoint(grad) + grad
