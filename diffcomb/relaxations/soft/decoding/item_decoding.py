"""From item costs to packings."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from diffcomb.problems import Knapsack


def greedy_packing(problem: Knapsack, theta: Tensor) -> Tensor:
    """Costs (batch, n), negative = gain -> z (batch, n): most gain for relative weight first, if it fits."""
    costs = theta.detach().cpu().double().numpy()
    weights, room, relative = problem.units
    weight = relative.sum(0)
    z = np.zeros_like(costs)
    for row, cost in zip(z, costs, strict=True):
        left = room.copy()
        for i in np.argsort(cost / np.maximum(weight, 1e-12), kind="stable"):
            if cost[i] < 0 and (weights[:, i] <= left).all():
                left -= weights[:, i]
                row[i] = 1.0
    return torch.from_numpy(z).to(theta.device)
