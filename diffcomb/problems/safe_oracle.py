"""The exact oracle at modified costs theta + rho (x - 1/2), which turn negative where theta is not."""

from __future__ import annotations

from torch import Tensor

from diffcomb.errors import InvalidCostsError
from diffcomb.oracles import oracle_names
from diffcomb.problems.problem import Problem


def decide_safely(
    problem: Problem,
    costs: Tensor,
    oracle: str = "auto",
    *,
    time_limit: float | None = None,
    num_workers: int | None = None,
    seed: int = 0,
) -> Tensor:
    """z*(costs) (batch, n); where the oracle refuses a negative cycle, a mixed-integer solver decides.

    Shortest paths on graphs with cycles are the case: a dedicated algorithm needs costs without
    negative cycles, the modified ones may have some. The limits are those of `Problem.solve`.
    """

    def decide(name: str) -> Tensor:
        return problem.solve(costs, name, time_limit, num_workers=num_workers, seed=seed).decision

    try:
        return decide(oracle)
    except InvalidCostsError:
        if oracle != "auto" or "highs" not in oracle_names(problem):
            raise
        return decide("highs")
