"""Many cost vectors of one feasible set, in one call of the exact oracle."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from diffcomb.errors import InvalidCostsError, UnsupportedError
from diffcomb.oracles import Limits
from diffcomb.problems import Problem
from diffcomb.problems.safe_oracle import decide_safely


def exact_decisions(problem: Problem, costs: Tensor, limits: Limits) -> Tensor:
    """z*(costs), (..., n) -> (..., n) float64, detached: samples and batch become rows of one call.

    Raises:
        UnsupportedError: the decision is not a 0-1 vector (start times of a job shop).
    """
    refuse_start_times(problem)
    rows = costs.detach().double().reshape(-1, problem.num_costs)
    return decide_safely(problem, rows, limits).reshape(costs.shape)


def refuse_start_times(problem: Problem) -> None:
    """Raise UnsupportedError for a job shop: estimators are for 0-1 decisions."""
    if not problem.is_binary:
        raise UnsupportedError(
            f"{type(problem).__name__} does not decide a 0-1 vector; use DecisionLayer, whose gradient is"
            " exact there."
        )


def members_by_problem(
    problem: Problem | Sequence[Problem], problems: Sequence[Problem] | None, count: int
) -> dict[Problem, list[int]]:
    """Which of `count` cost vectors belong to which problem, so that each problem is called once.

    Raises:
        InvalidCostsError: not one problem per cost vector.
    """
    if problems is None:
        problems = [problem] * count if isinstance(problem, Problem) else problem
    if len(problems) != count or count == 0:
        raise InvalidCostsError(f"{len(problems)} problems need as many cost vectors, got {count}.")
    members: dict[Problem, list[int]] = {}
    for i, one in enumerate(problems):
        members.setdefault(one, []).append(i)
    return members
