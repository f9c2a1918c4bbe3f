"""From edge scores to tours, batched."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from diffcomb.problems import TravelingSalesman
from diffcomb.problems.tours.heuristics.two_opt import greedy_edge_tour, two_opt


def greedy_tours(problem: TravelingSalesman, scores: Tensor, improve: Tensor | None = None) -> Tensor:
    """Greedy edge decoding: scores (batch, n), smallest first -> z (batch, n).

    Args:
        improve: costs (batch, n) under which 2-opt improves each tour; None leaves the tour alone.
    """
    tails, heads = problem.tails.astype(np.int64), problem.heads.astype(np.int64)
    orders = scores.detach().cpu().argsort(dim=-1, stable=True).numpy()
    costs = None if improve is None else improve.detach().cpu().double().numpy()
    rows = []
    for b, order in enumerate(orders):
        tour = greedy_edge_tour(order, tails, heads, problem.num_cities)
        if costs is not None:
            two_opt(problem.matrix_of(costs[b]), tour)
        rows.append(problem.decision_of(tour))
    return torch.from_numpy(np.stack(rows)).to(scores.device)
