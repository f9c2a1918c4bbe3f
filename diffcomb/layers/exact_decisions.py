"""Many cost vectors of one feasible set, in one call of the exact oracle."""

from __future__ import annotations

from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.oracles import Limits
from diffcomb.problems import Problem


def exact_decisions(problem: Problem, costs: Tensor, limits: Limits) -> Tensor:
    """z*(costs), (..., n) -> (..., n) float64, detached: samples and batch become rows of one call.

    Raises:
        UnsupportedError: what is feasible depends on the costs (start times of a job shop, predicted rows).
    """
    refuse_start_times(problem)
    rows = costs.detach().double().reshape(-1, problem.num_costs)
    return problem.decide(problem.costs_of(rows), limits).reshape(*costs.shape[:-1], -1)


def refuse_start_times(problem: Problem) -> None:
    """Raise UnsupportedError for a job shop or predicted rows: estimators are for one feasible set."""
    if problem.set_moves:
        raise UnsupportedError(
            f"What is feasible for this {type(problem).__name__} moves with the costs; use DecisionLayer,"
            " whose gradient is exact there."
        )
