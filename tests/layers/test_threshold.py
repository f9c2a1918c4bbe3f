"""The exactness threshold and its one-call certificate."""

import pytest
import torch

from diffcomb.layers import DecisionLayer, exactness_threshold
from diffcomb.layers.threshold import is_exact
from diffcomb.problems import TravelingSalesman
from tests.registry import PROBLEMS, all_decisions, make_problem, seeded


@pytest.mark.parametrize("name", PROBLEMS)
def test_threshold_is_the_brute_force_minimum(name):
    """rho_bar = min 2 theta'(z - z*) / H(z, z*) over all of Z, cyclic graphs and negated costs included."""
    problem, members = make_problem(name), all_decisions(name)
    theta = problem.random_costs(5, generator=seeded(3))
    found = exactness_threshold(problem, theta, return_calls=True)
    distance = (members[None] - found.decision[:, None]).abs().sum(-1)
    ratio = 2 * (theta @ members.T - (theta * found.decision).sum(-1, keepdim=True)) / distance
    expected = torch.where(distance > 0, ratio, torch.inf).amin(-1)
    torch.testing.assert_close(found.rho_bar, expected, rtol=1e-9, atol=1e-12)
    assert int(found.oracle_calls.max()) <= 12


@pytest.mark.parametrize("name", PROBLEMS)
def test_certificate_of_the_layer(name):
    """last.exact is True just below last.threshold and False just above it."""
    problem = make_problem(name)
    theta = problem.random_costs(4, generator=seeded(3))
    rho_bar = exactness_threshold(problem, theta)
    for factor, expected in ((1 - 1e-6, True), (1 + 1e-6, False)):
        layer = DecisionLayer(problem, rho=rho_bar * factor, certify="threshold")
        layer(theta)
        assert layer.last.exact.tolist() == [expected] * 4
        torch.testing.assert_close(layer.last.threshold, rho_bar)


def test_threshold_of_fifty_cities_on_the_true_tour_hull():
    """Just below rho_bar the optimal tour is x_rho by the oracle's certificate, just above it is not."""
    problem = TravelingSalesman(50)
    theta = problem.random_costs(2, generator=seeded(50))
    threshold = exactness_threshold(problem, theta, return_calls=True)
    for factor, exact in ((1 - 1e-6, True), (1 + 1e-6, False)):
        answer = is_exact(problem, theta, factor * threshold.rho_bar, threshold.decision)
        assert answer.tolist() == [exact, exact]
