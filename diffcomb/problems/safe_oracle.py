"""The exact oracle at modified costs theta + rho (x - 1/2), which turn negative where theta is not."""

from __future__ import annotations

from torch import Tensor

from diffcomb.errors import InvalidCostsError
from diffcomb.oracles import Limits, Oracle, oracle_names
from diffcomb.problems.problem import Problem


def decide_safely(problem: Problem, costs: Tensor, oracle: str | Oracle | Limits = "auto") -> Tensor:
    """z*(costs) (batch, n); where the oracle refuses a negative cycle, a mixed-integer solver decides.

    Shortest paths on graphs with cycles are the case: a dedicated algorithm needs costs without
    negative cycles, the modified ones may have some.
    """
    limits = Limits.of(oracle)
    try:
        return problem.solve(costs, limits).decision
    except InvalidCostsError:
        if limits.oracle != "auto" or "highs" not in oracle_names(problem):
            raise
        return problem.solve(costs, limits.with_oracle("highs")).decision
