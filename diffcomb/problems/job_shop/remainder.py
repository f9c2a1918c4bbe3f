"""How start times move with durations: the derivative of the true decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from diffcomb.problems.job_shop.timing import Timing

if TYPE_CHECKING:
    from diffcomb.problems.job_shop.job_shop import JobShop


@dataclass(frozen=True)
class ScheduleRemainder:
    """ds*/dp of a batch of schedules, exact wherever the machine sequences are locally constant.

    s* moves with p along the tree of tight constraints of the start-time program: longest paths where f
    grows with every start, its KKT system at the optimal sequence for due-date costs.

    Attributes:
        tied: (batch,) bool, several trees or sequences are optimal: one of several generalised derivatives.
    """

    timings: list[Timing]
    tied: Tensor

    @staticmethod
    def of(problem: JobShop, starts: Tensor, durations: Tensor) -> ScheduleRemainder:
        from diffcomb.problems.job_shop.search.grid import common_unit

        pairs = list(zip(starts.cpu().numpy(), durations.cpu().numpy(), strict=True))
        timings = [problem.timing_of(s, p) for s, p in pairs]
        tied = [
            timing.tied or common_unit(problem, p) is not None
            for timing, (_, p) in zip(timings, pairs, strict=True)
        ]
        return ScheduleRemainder(timings, torch.tensor(tied, dtype=torch.bool, device=starts.device))

    def adjoint(self, grad: Tensor) -> Tensor:
        """g = d loss / d s (batch, n) -> d loss / d p (batch, n), one pass over each tree."""
        rows = zip(self.timings, grad.cpu().numpy(), strict=True)
        pulled = [timing.adjoint(g) for timing, g in rows]
        return torch.from_numpy(np.reshape(pulled, grad.shape)).to(grad.device)
