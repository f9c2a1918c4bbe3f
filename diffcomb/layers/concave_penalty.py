"""The concave penalty: nonconvex, exact for large rho in theory, a heuristic in practice.

    min over X of theta'x - rho R(x) = theta'x + rho/2 sum_i x_i (1 - x_i)

-R is concave, 0 on {0,1}^n and positive between, so its global minimisers over X are vertices.

Theorem (Giannessi & Niccolucci 1976, Lucidi & Rinaldi 2010). Let V_f be the fractional vertices of X
and phi(v) = sum v_i (1 - v_i) > 0 on them. For rho > rho_min(theta) = max(0, max over v in V_f of
2 theta'(z* - v) / phi(v)) the global minimisers over X are exactly those of theta'z over Z; below
rho_min > 0 the global minimiser is fractional. Where X = conv(Z), rho_min = 0.

The trap: *global* is the word that does not survive. A member z of Z is a strict local minimum as
soon as rho > max over w in X of 2 theta'(z - w) / ||z - w||_1, and for rho > 2 max|theta| every
member of Z is one: a local method started there stays where it started. Hence the increasing rho.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.oracles.linear_program import LinearProgram
from diffcomb.problems import Problem


@dataclass(frozen=True)
class ConcaveDecision:
    """Where the procedure ended.

    Attributes:
        decision: (batch, n) float64, a vertex of X.
        binary: (batch,) bool, the vertex is a member of Z.
        exact: (batch,) bool, it is one of least cost: theta'decision = theta'z*.
        programs: (batch,) int, linear programs solved.
    """

    decision: Tensor
    binary: Tensor
    exact: Tensor
    programs: Tensor


def concave_penalty(
    problem: Problem,
    theta: Tensor,
    rhos: Sequence[float] | None = None,
    *,
    start: Tensor | None = None,
    oracle: str = "auto",
    max_steps: int = 100,
) -> ConcaveDecision:
    """Descend theta'x + rho/2 sum x (1 - x) over X by the convex-concave procedure, rho after rho.

    Each step linearises the concave part and solves one linear program,

        x <- argmin over X of (theta + rho (1/2 - x))'x,

    until x repeats; then the next rho starts there. The objective never increases at a given rho.
    Nothing promises z*, nor even a member of Z, since a fractional vertex holds the procedure as well:
    the answer says in `exact` whether z* was reached, by one call of the oracle.
    No gradient flows; for one, use `DecisionLayer`.

    Args:
        theta: (batch, n) or (n,) costs.
        rhos: increasing, in units of costs. Small: the optimum of the linear relaxation, fractional
            perhaps. Large: stuck at the vertex it is at. None: ten values from 0.02 to 2 times the
            instance's max|theta|, where every member of Z has become a local minimum.
        start: (batch, n) points of X to start from; None is the optimum of the linear relaxation.
        oracle: of the comparison with z*.
        max_steps: linear programs per rho.

    Raises:
        UnsupportedError: the problem is not a 0-1 problem, or rhos are not positive and increasing.
        InvalidCostsError: from the costs.
    """
    if not problem.is_binary:
        raise UnsupportedError(f"{type(problem).__name__} is no 0-1 problem; the penalty needs one.")
    if rhos is not None and not (rhos and rhos[0] > 0 and all(np.diff(rhos) > 0)):
        raise UnsupportedError(f"rhos must be positive and increasing, got {list(rhos)}.")
    costs = torch.atleast_2d(problem.check_costs(theta.detach())).double()
    program = LinearProgram(problem.polytope())
    starts = np.zeros(0) if start is None else torch.atleast_2d(start).detach().cpu().double().numpy()
    ends, counts = [], []
    for row, cost in enumerate(costs.cpu().numpy()):
        schedule = np.geomspace(0.02, 2.0, 10) * (np.abs(cost).max() or 1.0) if rhos is None else rhos
        # from inside X the first step goes to a vertex whatever it gains
        at_vertex = start is None
        x = program.minimize(cost) if start is None else starts[row]
        count = int(at_vertex)
        for rho in schedule:
            for _ in range(max_steps):
                slope = cost + rho * (0.5 - x)
                vertex = program.minimize(slope)
                count += 1
                if at_vertex and slope @ (x - vertex) <= 1e-9 * np.abs(slope).sum():
                    break
                x, at_vertex = vertex, True
        ends.append(x)
        counts.append(count)
    decision = torch.from_numpy(np.stack(ends)).to(costs)
    z = problem.solve(costs, oracle).decision
    binary = problem.is_feasible(decision)
    excess = problem.objective(decision, costs) - problem.objective(z, costs)
    exact = binary & (excess <= 1e-9 * costs.abs().sum(-1))
    shape = theta.shape[:-1]
    return ConcaveDecision(
        decision.reshape(theta.shape),
        binary.reshape(shape),
        exact.reshape(shape),
        torch.tensor(counts, device=costs.device).reshape(shape),
    )
