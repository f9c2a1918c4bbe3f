"""Costs that are a polynomial of a few features: the three data sets that PyEPO's benchmark draws.

Features x ~ N(0, I_p) and a fixed random mixing matrix B; q(x) = (B x / sqrt p + 3)^degree. The same seed
draws the same numbers as the generators documented by PyEPO (Tang & Khalil 2022, arXiv:2206.14234).
Its portfolio data has a second-order cone constraint and a continuous decision: not a problem of ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems import Knapsack, Problem, ShortestPath, TravelingSalesman


@dataclass(frozen=True)
class LearningTask:
    """features (count, p) and costs (count, n) of one problem; costs are signed for minimisation."""

    problem: Problem
    features: np.ndarray
    costs: np.ndarray


def grid_paths(
    count: int, size: int = 5, *, num_features: int = 5, degree: int = 4, noise: float = 0.5, seed: int = 42
) -> LearningTask:
    """c = (q(x) + 1) / 3.5^degree times noise, on the arcs of a size x size grid; B Bernoulli(1/2).

    Args:
        noise: half-width of the multiplicative uniform noise around 1, which no model can predict.
    """
    _check(count, degree, noise)
    rng = np.random.RandomState(seed)
    problem = ShortestPath.grid(size, size)
    B = rng.binomial(1, 0.5, (problem.num_costs, num_features))
    x = rng.normal(0, 1, (count, num_features))
    c = (_polynomial(x, B, degree) + 1) / 3.5**degree
    c *= rng.uniform(1 - noise, 1 + noise, c.shape)
    return LearningTask(problem, x, c.astype(np.float32))


def knapsack_values(
    count: int,
    num_items: int = 32,
    dimensions: int = 2,
    capacity: float = 20.0,
    *,
    num_features: int = 5,
    degree: int = 4,
    noise: float = 0.5,
    seed: int = 42,
) -> LearningTask:
    """Values ceil(5 (q(x) + 1) / 3.5^degree times noise); weights uniform in {3.00, ..., 7.99}.

    Maximisation: costs are the negated values.
    """
    _check(count, degree, noise)
    rng = np.random.RandomState(seed)
    weights = rng.choice(range(300, 800), size=(dimensions, num_items)) / 100
    B = rng.binomial(1, 0.5, (num_items, num_features))
    x = rng.normal(0, 1, (count, num_features))
    values = 5 * (_polynomial(x, B, degree) + 1) / 3.5**degree
    values = np.ceil(values * rng.uniform(1 - noise, 1 + noise, values.shape))
    return LearningTask(Knapsack(weights, [capacity] * dimensions), x, -values.astype(np.float32))


def tour_lengths(
    count: int,
    num_cities: int = 20,
    *,
    num_features: int = 5,
    degree: int = 4,
    noise: float = 0.5,
    seed: int = 42,
) -> LearningTask:
    """c = distance + q(x) / 3^(degree - 1) times noise; B Bernoulli(1/2) times uniform in [-2, 2].

    Half of the cities uniform in [-2, 2]^2, half normal.
    """
    _check(count, degree, noise)
    rng = np.random.RandomState(seed)
    half = num_cities // 2
    places = np.concatenate([rng.uniform(-2, 2, (half, 2)), rng.normal(0, 1, (num_cities - half, 2))])
    pairs = num_cities * (num_cities - 1) // 2
    B = rng.binomial(1, 0.5, (pairs, num_features)) * rng.uniform(-2, 2, (pairs, num_features))
    x = rng.normal(0, 1, (count, num_features))
    c = _polynomial(x, B, degree) / 3 ** (degree - 1)
    c = pdist(places) + c * rng.uniform(1 - noise, 1 + noise, c.shape)
    return LearningTask(TravelingSalesman(num_cities), x, np.around(c, 4).astype(np.float32))


def _polynomial(x: np.ndarray, B: np.ndarray, degree: int) -> np.ndarray:
    return (x @ B.T / np.sqrt(x.shape[1]) + 3) ** degree


def _check(count: int, degree: int, noise: float) -> None:
    if count < 1 or degree < 1 or not 0 <= noise <= 1:
        raise InvalidInstanceError(
            f"count and degree must be at least 1 and noise in [0, 1], got {count}, {degree}, {noise}."
        )
