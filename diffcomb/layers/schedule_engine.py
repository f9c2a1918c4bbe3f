"""Start times and their exact derivative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.layers.engine import Decided, record_of
from diffcomb.oracles import Limits
from diffcomb.problems import JobShop, Timing
from diffcomb.problems.job_shop.search.grid import common_unit
from diffcomb.projection import RelaxedDecision


class ScheduleEngine:
    """Exact start times s*(p) of a job shop, with the Jacobian of s* itself.

    Machine sequences are locally constant, so s* moves with p along the tree of tight constraints of
    the start-time program: longest paths where f grows with every start, its KKT system at the optimal
    sequence for due-date costs. The backward is one pass over that tree. There is nothing to smooth:
    rho and solver play no part. Ties are flagged in the record's `tied`, an unproven choice among
    optima in `unique`.

    Raises:
        UnsupportedError: decision="relaxed", or a relaxed decision asked for by a loss.
    """

    def __init__(self, problem: JobShop, decision: str, oracle: Limits) -> None:
        if decision != "exact":
            raise UnsupportedError(
                "A job shop has no relaxed decision; use decision='exact', whose gradients are exact."
            )
        self.problem = problem
        self.oracle = oracle

    def relax(self, theta: Tensor, rho: Tensor) -> RelaxedDecision:
        raise UnsupportedError(
            "A job shop has no relaxed decision, so Fenchel-Young losses do not apply; use a loss of the"
            " start times (PlannedStartLoss, ImitationLoss) or optimal_value."
        )

    def decide(self, theta: Tensor, rho: Tensor, *, needs_grad: bool) -> Decided:
        result = self.problem.solve(theta, self.oracle)
        record = record_of(result, None)
        if not needs_grad:
            return Decided(result.decision, None, record)
        durations = theta.cpu().numpy()
        timings = [
            self.problem.timing_of(s, p)
            for s, p in zip(result.decision.cpu().numpy(), durations, strict=True)
        ]
        tied = [
            timing.tied or common_unit(self.problem, p) is not None
            for timing, p in zip(timings, durations, strict=True)
        ]
        record = replace(record, tied=torch.tensor(tied, device=theta.device))
        return Decided(result.decision, _adjoint(timings), record)


def _adjoint(timings: list[Timing]) -> Callable[[Tensor], Tensor]:
    def adjoint(grad: Tensor) -> Tensor:
        rows = zip(timings, grad.cpu().numpy(), strict=True)
        return torch.from_numpy(np.stack([timing.adjoint(g) for timing, g in rows])).to(grad.device)

    return adjoint
