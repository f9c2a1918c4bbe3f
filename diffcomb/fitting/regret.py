"""How much worse the decisions of a network are than the best ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from diffcomb.metrics import normalized_regret
from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem


def regret(
    net: nn.Module | Callable[[Tensor], Tensor],
    problem: Problem,
    x: Tensor,
    costs: Tensor,
    *,
    oracle: str | Oracle | Limits = "auto",
) -> float:
    """sum (c'z*(net(x)) - V(c)) / sum |V(c)| of exact decisions; see `normalized_regret`.

    0 is perfect, 0.1 loses 10 % of the optimal objective, in either sense of optimisation.

    Args:
        net: x (batch, ...) -> predicted costs (batch, P); put in evaluation mode for the call.
        costs: (batch, P) true costs.
        oracle: of the exact decisions; a name, an oracle, or Limits.
    """
    training = isinstance(net, nn.Module) and net.training
    if isinstance(net, nn.Module):
        net.eval()
    try:
        with torch.no_grad():
            theta = problem.check_costs(net(x))
    finally:
        if isinstance(net, nn.Module):
            net.train(training)
    true = problem.check_costs(torch.as_tensor(costs)).double()
    decided = problem.solve(theta, Limits.of(oracle)).decision.to(true)
    best = problem.solve(true, Limits.of(oracle)).decision
    return float(normalized_regret(problem.cost_of(decided, true), problem.cost_of(best, true)))
