"""V(theta) = min over Z of the objective, with its exact gradient (Danskin 1967)."""

from __future__ import annotations

from torch import Tensor

from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem


def optimal_value(
    problem: Problem,
    theta: Tensor,
    *,
    oracle: str | Oracle | Limits = "auto",
    time_limit: float | None = None,
) -> Tensor:
    """V(theta), (batch, n) -> (batch,); dV/dtheta = z*(theta), exact wherever z* is unique.

    One oracle call, no penalty and no bias. For a cost theta'z, V is concave and piecewise linear; on
    ties the gradient is one element of the superdifferential. For a schedule dV/dtheta is
    `problem.value_gradient`: the critical path of the makespan, multipliers in general. If `time_limit`
    stops the oracle, value and gradient are those of the incumbent: upper bounds, not proven.
    """
    costs = problem.check_costs(theta).detach()  # as given: it may warn where a gradient means nothing
    z = problem.solve(costs, oracle, time_limit).decision
    # 0 in value, the gradient in derivative
    slope = (problem.value_gradient(z, costs) * (theta - costs)).sum(-1)
    return problem.objective(z, costs) + slope
