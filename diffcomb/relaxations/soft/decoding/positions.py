"""Tours as permutations: city by position, the form in which every doubly stochastic matrix makes sense."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from diffcomb.problems import TravelingSalesman


def cost_matrix(problem: TravelingSalesman, theta: Tensor, diagonal: float = 0.0) -> Tensor:
    """Edge costs (batch, n) -> (batch, N, N), symmetric, differentiable."""
    size = problem.num_cities
    matrix = theta.new_full((theta.shape[0], size, size), diagonal)
    tails, heads = (torch.as_tensor(e, device=theta.device) for e in (problem.tails, problem.heads))
    matrix[:, tails, heads] = theta
    matrix[:, heads, tails] = theta
    return matrix


def expected_edges(problem: TravelingSalesman, positions: Tensor) -> Tensor:
    """P (..., N, N), city by position -> x (..., n): x_ij = sum_t P_it P_j,t+1 + P_jt P_i,t+1.

    Every position draws its city independently from column t of P; theta'x is the expected length
    <P, D roll(P, -1)> of what is drawn, and the length of the tour where P is a permutation.
    """
    pairs = positions @ positions.roll(-1, -1).transpose(-1, -2)
    tails, heads = (torch.as_tensor(e, device=positions.device) for e in (problem.tails, problem.heads))
    return pairs[..., tails, heads] + pairs[..., heads, tails]


def permutation_tours(scores: Tensor) -> np.ndarray:
    """The permutation of largest score of each (batch, N, N), city by position, as tours (batch, N)."""
    matrices = scores.detach().cpu().double().numpy()
    tours = np.empty(matrices.shape[:2], dtype=np.int32)
    for tour, matrix in zip(tours, matrices, strict=True):
        cities, places = linear_sum_assignment(matrix, maximize=True)
        tour[places] = cities
    return tours
