"""Regret of decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from diffcomb.problems import Problem


def normalized_regret(cost: Tensor, optimum: Tensor) -> Tensor:
    """sum (c'z - V(c)) / sum |V(c)| over the batch: 0 is perfect, 0.1 costs 10 % too much.

    cost, optimum: (batch,) c'z of the decisions taken and V(c) of the optimal ones.
    """
    return (cost - optimum).sum() / optimum.abs().sum()


def regret(net: Callable[[Any], Tensor], problem: Problem, x: Any, costs: Tensor) -> float:
    """Normalized regret of the exact decisions for net(x), judged at the true costs (batch, P).

    In the problem's own sense: what is lost by predicting, as a share of what is best.
    """
    with torch.no_grad():
        decision = problem.solve(net(x)).decision
        best = problem.solve(costs).value
        missed = problem.shortfall(problem.objective(decision, costs), best)
        return float(missed.sum() / best.abs().sum())
