"""Tours from edge logits: greedy and sampling decoders, active search, and the prior without learning."""

from __future__ import annotations

import numpy as np
import torch

from diffcomb.problems.tours.heuristics.two_opt import two_opt as two_opt_in_place
from diffcomb.relaxations.soft.decoding.tour_policy import leave_one_out, sample_tours, score

DECODERS = ("greedy", "sampling")


def random_starts(rng: np.random.Generator, batch: int, count: int, num_cities: int) -> np.ndarray:
    """(batch, count) first cities, the same for all instances."""
    return np.tile(rng.integers(num_cities, size=count), (batch, 1))


def decode_tours(
    logits: np.ndarray,
    neighbours: np.ndarray,
    cost: np.ndarray,
    num_samples: int,
    rng: np.random.Generator,
    *,
    two_opt: bool = False,
) -> np.ndarray:
    """The cheapest tour (batch, N) among greedy walks from every city and `num_samples` drawn ones.

    Args:
        logits, neighbours: (batch, N, k). cost: (batch, N, N).
        two_opt: improve the cheapest tour by 2-opt.
    """
    batch, n, _ = logits.shape
    every = np.broadcast_to(np.arange(n), (batch, n)).copy()
    tours, lengths = sample_tours(logits, neighbours, cost, every, 0, True)
    if num_samples:
        starts = random_starts(rng, batch, num_samples, n)
        drawn, more = sample_tours(logits, neighbours, cost, starts, int(rng.integers(2**62)), False)
        tours, lengths = np.concatenate([tours, drawn], 1), np.concatenate([lengths, more], 1)
    best = tours[np.arange(batch), lengths.argmin(-1)]
    if two_opt:
        for matrix, tour in zip(cost, best, strict=True):
            two_opt_in_place(matrix, tour)
    return np.asarray(best)


def reinforce(
    logits: np.ndarray, neighbours: np.ndarray, cost: np.ndarray, num_samples: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient of E_q[length] in the logits (batch, N, k), and the lengths (batch, K) of the draws."""
    starts = random_starts(rng, len(logits), num_samples, logits.shape[1])
    tours, lengths = sample_tours(logits, neighbours, cost, starts, int(rng.integers(2**62)), False)
    return score(logits, neighbours, tours, leave_one_out(lengths)), lengths


def active_search(
    logits: np.ndarray,
    neighbours: np.ndarray,
    cost: np.ndarray,
    steps: int,
    num_samples: int,
    rate: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Adam on the logits of each instance for a small E_q[length]; the logits after `steps`.

    Args:
        rate: small: slow; large: walks freeze on the first good tour.
    """
    with torch.inference_mode(False):
        theta = torch.from_numpy(logits.copy()).requires_grad_()
        optimizer = torch.optim.Adam([theta], lr=rate)
        for _ in range(steps):
            gradient, _ = reinforce(theta.detach().numpy(), neighbours, cost, num_samples, rng)
            theta.grad = torch.from_numpy(gradient)
            optimizer.step()
    return theta.detach().numpy()


def neighbor_prior(num_cities: int, num_neighbors: int) -> np.ndarray:
    """-log rank of each neighbour, (N, k): the parameter-free heatmap every learned one has to beat."""
    ranks = np.log1p(np.arange(num_neighbors, dtype=np.float64))
    return np.broadcast_to(-ranks, (num_cities, num_neighbors)).copy()
