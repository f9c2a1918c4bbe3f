"""V(theta) = min over Z of theta'z, with the exact gradient z*(theta) (Danskin 1967)."""

from __future__ import annotations

from torch import Tensor

from diffcomb.problems import Problem


def optimal_value(
    problem: Problem, theta: Tensor, *, oracle: str = "auto", time_limit: float | None = None
) -> Tensor:
    """V(theta), (batch, n) -> (batch,); dV/dtheta = z*(theta), exact wherever z* is unique.

    One oracle call, no penalty and no bias. Concave and piecewise linear in theta; on ties the
    gradient is one element of the superdifferential. If `time_limit` stops the oracle, value and
    gradient are those of the incumbent: upper bounds, not proven.
    """
    z = problem.solve(theta, oracle, time_limit).decision
    return problem.objective(z, theta)
