"""Subtour separation finds a violated row exactly when one exists, and cuts off no tour."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from diffcomb.problems import TravelingSalesman


def degree_vertex(problem: TravelingSalesman, rng: np.random.Generator) -> np.ndarray:
    """A vertex of the degree polytope for random costs, often fractional or disconnected."""
    polytope = problem.polytope()
    cost = rng.normal(size=problem.num_costs)
    return np.clip(linprog(cost, A_eq=polytope.A, b_eq=polytope.b, bounds=(0, 1)).x, 0, 1)


def least_cut(problem: TravelingSalesman, x: np.ndarray) -> float:
    """min over S of x(delta(S)), 2 <= |S| <= N - 2, by trying all sets."""
    n, best = problem.num_cities, np.inf
    for size in range(2, n // 2 + 1):
        for members in itertools.combinations(range(n), size):
            inside = np.isin(np.arange(n), members)
            best = min(best, x[inside[problem.tails] != inside[problem.heads]].sum())
    return best


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), num_cities=st.integers(6, 10), mixed=st.integers(1, 4))
def test_a_row_is_found_exactly_when_some_set_is_violated(seed, num_cities, mixed):
    """Mixtures of degree-polytope vertices: all rows returned are violated; none only if none exists."""
    problem, rng = TravelingSalesman(num_cities), np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(mixed))
    x = sum(w * degree_vertex(problem, rng) for w in weights)
    rows = problem.polytope().separate(x)
    assert (len(rows) > 0) == (least_cut(problem, x) < 2 - 2e-8)
    assert bool((rows.G @ x - rows.h > 1e-8 / 2).all())


@pytest.mark.parametrize("num_cities", [6, 30, 120])
def test_rows_cut_off_no_tour(num_cities):
    """Random tours satisfy every row found at fractional points."""
    problem, rng = TravelingSalesman(num_cities), np.random.default_rng(num_cities)
    tours = np.stack([problem.decision_of(rng.permutation(num_cities)) for _ in range(20)])
    for _ in range(5):
        x = 0.5 * degree_vertex(problem, rng) + 0.5 * degree_vertex(problem, rng)
        rows = problem.polytope().separate(x)
        assert float((rows.G @ tours.T - rows.h[:, None]).max(initial=-1.0)) < 1e-9
