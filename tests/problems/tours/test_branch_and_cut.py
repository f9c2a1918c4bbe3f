"""The tour oracle against enumeration, an independent solver and known optima."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diffcomb.problems import TravelingSalesman
from tests.registry import seeded


def held_karp_optimum(problem: TravelingSalesman, theta: torch.Tensor) -> float:
    """Dynamic program over subsets, O(2^N N^2): independent of everything under test."""
    n = problem.num_cities
    cost = np.zeros((n, n))
    cost[problem.tails, problem.heads] = cost[problem.heads, problem.tails] = theta.numpy()
    last = n - 1
    best = {(1 << v, v): cost[last, v] for v in range(last)}
    for mask in range(1, 1 << last):
        for v in range(last):
            if mask >> v & 1 and mask != 1 << v:
                rest = mask ^ (1 << v)
                best[mask, v] = min(best[rest, u] + cost[u, v] for u in range(last) if rest >> u & 1)
    full = (1 << last) - 1
    return float(min(best[full, v] + cost[v, last] for v in range(last)))


def special_costs(problem: TravelingSalesman, kind: str, seed: int) -> torch.Tensor:
    """Cost vectors that have broken tour codes: ties, clusters, signs, scales."""
    rng = np.random.default_rng(seed)
    n, edges = problem.num_cities, (problem.tails, problem.heads)
    if kind == "clustered":
        points = rng.integers(0, 3, (n, 2)) + 1e-3 * rng.random((n, 2))
        cost = np.linalg.norm(points[edges[0]] - points[edges[1]], axis=1)
    elif kind == "duplicates":
        points = rng.integers(0, 2, (n, 2)).astype(float)
        cost = np.linalg.norm(points[edges[0]] - points[edges[1]], axis=1)
    else:
        cost = {
            "equal": np.full(problem.num_costs, 0.1),
            "zero": np.zeros(problem.num_costs),
            "integers": rng.integers(-3, 4, problem.num_costs).astype(float),
            "tens": 10.0 * rng.integers(0, 9, problem.num_costs),
            "negative": -rng.random(problem.num_costs),
            "normal": rng.normal(size=problem.num_costs),
            "tiny": 1e-12 * rng.random(problem.num_costs),
            "huge": 1e15 * rng.random(problem.num_costs),
            "offset": 1e6 + rng.random(problem.num_costs),
        }[kind]
    return torch.from_numpy(cost)


KINDS = ["clustered", "duplicates", "equal", "zero", "integers", "tens", "negative", "normal", "tiny"]
KINDS += ["huge", "offset"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("num_cities", [3, 4, 5, 7, 10])
def test_value_is_that_of_the_subset_dynamic_program(kind, num_cities):
    """Proven, a tour, and of the optimal value, on every kind of degenerate costs."""
    problem = TravelingSalesman(num_cities)
    theta = special_costs(problem, kind, num_cities)
    result = problem.solve(theta)
    assert str(result.status) == "optimal"
    assert bool(problem.is_feasible(result.decision))
    assert float(result.value) == pytest.approx(
        held_karp_optimum(problem, theta), rel=1e-9, abs=1e-9 * float(theta.abs().max())
    )


@pytest.mark.parametrize("num_cities", [20, 40])
@pytest.mark.parametrize("kind", ["distances", "normal"])
def test_value_is_that_of_highs(num_cities, kind):
    """A branch-and-cut code that shares nothing with ours finds tours of the same cost."""
    problem = TravelingSalesman(num_cities)
    theta = problem.random_costs(2, generator=seeded(num_cities))
    if kind == "normal":
        theta = torch.randn(theta.shape, generator=seeded(3), dtype=torch.float64)
    ours, highs = problem.solve(theta), problem.solve(theta, "highs")
    torch.testing.assert_close(ours.value, highs.value, rtol=1e-8, atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    num_cities=st.integers(5, 16),
    shift=st.floats(-10, 10),
    scale=st.floats(1e-3, 1e3),
)
def test_shift_scale_and_potentials_change_no_tour(seed, num_cities, shift, scale):
    """theta -> scale (theta + shift + pi_u + pi_v) adds the same amount to every tour."""
    problem = TravelingSalesman(num_cities)
    rng = np.random.default_rng(seed)
    theta, pi = rng.normal(size=problem.num_costs), rng.normal(size=num_cities)
    moved = scale * (theta + shift + pi[problem.tails] + pi[problem.heads])
    decisions = problem.solve(torch.from_numpy(np.stack([theta, moved]))).decision
    assert torch.equal(decisions[0], decisions[1])


def test_batches_on_threads_give_the_answers_of_single_solves():
    """The number of workers and the company in the batch change nothing."""
    problem = TravelingSalesman(25)
    theta = problem.random_costs(6, generator=seeded())
    together = problem.solve(theta, num_workers=4).decision
    alone = torch.stack([problem.solve(row).decision for row in theta])
    assert torch.equal(together, alone)


def test_time_limit_returns_the_incumbent_with_a_bound_below_it():
    """Stopped long before the proof: a tour, a finite bound, and a status that does not say optimal."""
    problem = TravelingSalesman(150)
    theta = problem.random_costs(1, generator=seeded())
    result = problem.solve(theta, time_limit=1e-3)
    assert "optimal" not in str(result.status)
    assert bool(problem.is_feasible(result.decision).all())
    assert 0.9 * float(result.value) < float(result.bound) < float(result.value)


@pytest.mark.parametrize(
    ("name", "optimum"),
    [("burma14", 3323), ("gr17", 2085), ("ulysses22", 7013), ("gr48", 5046), ("eil51", 426)],
)
def test_known_optimum_of_tsplib(name, optimum):
    """The published optimum, proven."""
    path = Path(os.environ.get("DIFFCOMB_DATA", "data")) / "tsplib" / f"{name}.tsp"
    if not path.is_file():
        pytest.skip("needs TSPLIB in DIFFCOMB_DATA")
    result = TravelingSalesman.from_tsplib(path).solve()
    assert result.is_optimal
    assert float(result.value) == optimum
