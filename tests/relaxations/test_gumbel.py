"""Gumbel-Softmax and Gumbel-Sinkhorn: formulas, limits and gradients with common noise."""

import math

import numpy as np
import pytest
import torch

from diffcomb.errors import UnknownNameError, UnsupportedError
from diffcomb.losses import PenalizedRegretLoss
from diffcomb.problems import Assignment, GraphColoring, Knapsack, TravelingSalesman
from diffcomb.relaxations import GumbelSinkhorn, GumbelSoftmax, sinkhorn
from diffcomb.relaxations.soft.annealing import Annealing
from diffcomb.relaxations.soft.choices import choices_of, sigmoid_with_sum
from diffcomb.relaxations.soft.decoding.positions import cost_matrix, expected_edges, permutation_tours
from diffcomb.relaxations.soft.gumbel import gumbel_like, logistic_like
from tests.registry import seeded

COLORING = GraphColoring([(0, 1), (1, 2), (2, 0), (2, 3)], 4, 3)


def test_noise_has_the_moments_of_its_law():
    """Gumbel: mean 0.5772, variance pi^2/6. Logistic: mean 0, variance pi^2/3."""
    like = torch.zeros(200_000, dtype=torch.float64)
    gumbel, logistic = gumbel_like(like, seeded()), logistic_like(like, seeded(1))
    assert abs(float(gumbel.mean()) - 0.5772) < 0.01
    assert abs(float(gumbel.var()) - math.pi**2 / 6) < 0.05
    assert abs(float(logistic.mean())) < 0.02
    assert abs(float(logistic.var()) - math.pi**2 / 3) < 0.1


def test_annealing_runs_from_start_to_end():
    """Geometric in tau, linear in noise, constant afterwards, colder means more sweeps."""
    annealing = Annealing(4.0, 0.04, 100, 0.8)
    assert [annealing.tau(t) for t in (0, 50, 100, 500)] == pytest.approx([4.0, 0.4, 0.04, 0.04])
    assert [annealing.noise_factor(t) for t in (0, 50, 100, 500)] == pytest.approx([0.8, 0.4, 0.0, 0.0])
    assert annealing.sweeps(0) == 20
    assert annealing.sweeps(100) == 50
    with pytest.raises(UnsupportedError, match="tau_end > 0"):
        Annealing(tau_end=0.0)


def test_gumbel_softmax_is_the_published_formula():
    """softmax((l + G) / tau) with the G of the layer's generator, and straight-through is one-hot."""
    theta = COLORING.random_costs(2, generator=seeded())
    layer = GumbelSoftmax(COLORING, tau_start=0.7, tau_end=0.7, anneal_steps=10, noise=1.0)
    logits = (-theta / theta.abs().mean(-1, keepdim=True)).reshape(2, 4, 3)
    noise = gumbel_like(logits, layer.generator(theta.device))
    expected = torch.softmax((logits + noise) / 0.7, -1).reshape(2, 12)
    torch.testing.assert_close(layer(theta), expected)
    hard = GumbelSoftmax(COLORING, tau_start=0.7, tau_end=0.7, anneal_steps=10, hard=True)(theta)
    assert torch.equal(hard.round().reshape(2, 4, 3).argmax(-1), expected.reshape(2, 4, 3).argmax(-1))
    torch.testing.assert_close(hard, hard.round())


def test_edges_sum_to_the_size_of_a_tour_and_the_multiplier_is_differentiated():
    """Rows of sigmoid(a + mu) have the sum asked for; gradcheck sees d mu / d a."""
    a = torch.randn(3, 10, generator=seeded(), dtype=torch.float64).requires_grad_()
    x = sigmoid_with_sum(a, 4.0)
    torch.testing.assert_close(x.sum(-1), torch.full((3,), 4.0, dtype=torch.float64))
    assert torch.autograd.gradcheck(lambda t: sigmoid_with_sum(t, 4.0), (a,))


@pytest.mark.parametrize(
    "layer",
    [
        GumbelSoftmax(TravelingSalesman(5)),
        GumbelSoftmax(COLORING),
        GumbelSoftmax(Knapsack([3, 5, 2, 7], 9)),
        GumbelSinkhorn(Assignment(3)),
        GumbelSinkhorn(TravelingSalesman(5), form="successor"),
    ],
    ids=lambda layer: f"{type(layer).__name__}-{type(layer.problem).__name__}",
)
def test_gradients_agree_with_finite_differences_under_common_noise(layer):
    """Central differences of the same noise draw, in float64."""
    theta = layer.problem.random_costs(2, generator=seeded(3)).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: layer.soft(layer.problem, t), (theta,), atol=1e-6)


def test_violation_is_zero_exactly_on_feasible_decisions():
    """Brute force over all 0-1 vectors of three problems."""
    for problem in (TravelingSalesman(4), COLORING, Knapsack([3, 5, 2, 7], 9)):
        codes = torch.arange(2**problem.num_costs)
        z = ((codes[:, None] >> torch.arange(problem.num_costs)) & 1).double()
        if isinstance(problem, GraphColoring):
            z = z[(z.reshape(-1, 4, 3).sum(-1) == 1).all(-1)]
        assert torch.equal(choices_of(problem).violation(z) < 1e-12, problem.is_feasible(z))


def test_penalized_regret_adds_the_violation():
    """c'x + penalty mean|c| violation, averaged."""
    layer = GumbelSoftmax(COLORING, noise=0.0, anneal_steps=0)
    theta, costs = (COLORING.random_costs(3, generator=seeded(k)) for k in (1, 2))
    x = layer(theta)
    expected = ((costs * x).sum(-1) + 2.0 * costs.mean(-1) * layer.violation(x)).mean()
    torch.testing.assert_close(PenalizedRegretLoss(layer, penalty=2.0)(theta, costs), expected)


def test_sinkhorn_is_doubly_stochastic_and_tends_to_the_best_permutation():
    """Row and column sums are 1; at low temperature it is the maximum-weight assignment."""
    scores = torch.randn(6, 5, 5, generator=seeded(), dtype=torch.float64)
    warm = sinkhorn(scores / 0.5, 200)
    torch.testing.assert_close(warm.sum(-1), torch.ones(6, 5, dtype=torch.float64))
    torch.testing.assert_close(warm.sum(-2), torch.ones(6, 5, dtype=torch.float64))
    cold = sinkhorn(scores / 0.01, 2000)
    places = torch.from_numpy(np.argsort(permutation_tours(scores), -1))
    torch.testing.assert_close(cold, torch.nn.functional.one_hot(places, 5).double(), atol=1e-2, rtol=0)


def test_expected_edges_is_the_tour_of_a_permutation_and_an_expectation_otherwise():
    """theta'x: the tour's length at permutations; <P, D roll(P, -1)> at doubly stochastic P."""
    problem = TravelingSalesman(6)
    theta = problem.random_costs(1, generator=seeded())
    tour = torch.randperm(6, generator=seeded(1))
    P = torch.nn.functional.one_hot(tour, 6).T.double()
    assert torch.equal(expected_edges(problem, P), torch.from_numpy(problem.decision_of(tour.numpy())))
    soft = sinkhorn(torch.randn(6, 6, generator=seeded(2), dtype=torch.float64), 100)
    D = cost_matrix(problem, theta)[0]
    direct = sum(soft[:, t] @ D @ soft[:, (t + 1) % 6] for t in range(6))
    torch.testing.assert_close((theta * expected_edges(problem, soft)).sum(), direct)


def test_position_gradient_is_that_of_the_unrolled_steps(monkeypatch):
    """With the searched Lambda held fixed, central differences of the differentiated steps agree."""
    problem = TravelingSalesman(5)
    layer = GumbelSinkhorn(problem, steps=5, unroll=2)
    theta = problem.random_costs(1, generator=seeded())
    costs = (theta / theta.mean()).requires_grad_()
    found = layer.search.scores(problem, costs, seeded())
    monkeypatch.setattr(type(layer.search), "scores", lambda *_: found.clone())
    assert torch.autograd.gradcheck(
        lambda c: expected_edges(problem, layer.search.positions(problem, c, seeded())), (costs,), atol=1e-6
    )


def test_search_over_positions_finds_short_tours():
    """On ten cities the best of eight restarts is within 10 % of the optimum."""
    problem = TravelingSalesman(10)
    theta = problem.random_costs(4, generator=seeded())
    layer = GumbelSinkhorn(problem, steps=100, restarts=8).eval()
    value = (theta * layer(theta)).sum(-1)
    assert float((value / problem.solve(theta).value).mean()) < 1.10
    with pytest.raises(UnknownNameError, match="position, successor"):
        GumbelSinkhorn(problem, form="adjacency")
