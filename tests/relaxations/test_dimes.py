"""DIMES's distribution: its law, its analytic score, its unbiased gradient, its decoders."""

from itertools import pairwise, permutations

import numpy as np
import torch

from diffcomb.problems import JobShop, TravelingSalesman
from diffcomb.problems.job_shop.heuristics.policy import sample_sequences, sequence_score
from diffcomb.relaxations import DIMES
from diffcomb.relaxations.soft.decoding.tour_policy import leave_one_out, sample_tours, score
from diffcomb.relaxations.soft.decoding.tour_search import (
    active_search,
    decode_tours,
    neighbor_prior,
    reinforce,
)
from tests.registry import seeded


def _instance(n, k, seed=0):
    """logits, neighbours (nearest first) and costs of one random instance, batch of one."""
    problem = TravelingSalesman(n)
    cost = problem.matrix_of(problem.random_costs(generator=seeded(seed))[0].numpy())
    neighbours = np.argsort(cost + 1e9 * np.eye(n), axis=1)[:, :k]
    logits = np.random.default_rng(seed).normal(size=(n, k))
    return logits[None], neighbours[None].astype(np.int64), cost[None]


def _log_q(logits, neighbours, tour):
    """log q of one tour given its start, written with torch and sets; steps without a choice add nothing."""
    total, visited = logits.sum() * 0, {int(tour[0])}
    for city, following in pairwise(tour):
        open_ = [s for s, j in enumerate(neighbours[city]) if int(j) not in visited]
        if open_:
            chosen = next(s for s in open_ if neighbours[city][s] == following)
            total = total + logits[city, chosen] - torch.logsumexp(logits[city, open_], 0)
        visited.add(int(following))
    return total


def test_score_is_the_gradient_of_log_q():
    """Against autograd of an independent log q, all edges and only three neighbours (dead ends included)."""
    for n, k in ((7, 6), (9, 3)):
        logits, neighbours, cost = _instance(n, k)
        starts = np.arange(6)[None] % n
        tours, lengths = sample_tours(logits, neighbours, cost, starts, 3, False)
        weight = np.random.default_rng(1).normal(size=(1, 6))
        theta = torch.from_numpy(logits[0]).requires_grad_()
        total = sum(
            w * _log_q(theta, neighbours[0], tour) for w, tour in zip(weight[0], tours[0], strict=True)
        )
        (expected,) = torch.autograd.grad(total, theta)
        np.testing.assert_allclose(score(logits, neighbours, tours, weight)[0], expected, atol=1e-12)
        for tour, length in zip(tours[0], lengths[0], strict=True):
            assert sorted(tour.tolist()) == list(range(n))
            assert abs(cost[0][tour, np.roll(tour, -1)].sum() - length) < 1e-12


def test_tours_are_drawn_with_the_probability_stated():
    """Frequencies of the six tours from city 0 on four cities, 40000 draws, to 0.01."""
    logits, neighbours, cost = _instance(4, 3)
    tours, _ = sample_tours(logits, neighbours, cost, np.zeros((1, 40_000), np.int64), 5, False)
    for rest in permutations(range(1, 4)):
        tour = np.array([0, *rest])
        q = float(_log_q(torch.from_numpy(logits[0]), neighbours[0], tour).exp())
        assert abs((tours[0] == tour).all(1).mean() - q) < 0.01


def test_reinforce_is_unbiased():
    """Its mean over many draws is the gradient of E[length] over all 120 walks of five cities."""
    logits, neighbours, cost = _instance(5, 4)
    theta = torch.from_numpy(logits[0]).requires_grad_()
    expected = torch.zeros((), dtype=torch.float64)
    for tour in permutations(range(5)):
        walk = np.array(tour)
        length = cost[0][walk, np.roll(walk, -1)].sum()
        expected = expected + _log_q(theta, neighbours[0], walk).exp() * length / 5
    (exact,) = torch.autograd.grad(expected, theta)
    rng = np.random.default_rng(0)
    mean = np.mean([reinforce(logits, neighbours, cost, 64, rng)[0][0] for _ in range(4_000)], axis=0)
    np.testing.assert_allclose(mean, exact, atol=0.003)
    assert float(exact.abs().max()) > 0.02


def test_leave_one_out_weights():
    """(1/K) (c_k - mean of the others), by hand."""
    costs = np.array([[1.0, 4.0, 10.0]])
    np.testing.assert_allclose(leave_one_out(costs), [[(1 - 7) / 3, (4 - 5.5) / 3, (10 - 2.5) / 3]])


def test_layer_gradient_is_the_score_function_gradient():
    """Expected cost of the layer's own draws: autograd of sum (g'z - b) log q in theta."""
    problem = TravelingSalesman(6)
    layer = DIMES(problem, num_samples=8).train()
    theta = problem.random_costs(1, generator=seeded()).requires_grad_()
    costs = problem.random_costs(1, generator=seeded(1))
    x = layer.soft(problem, theta)
    (gradient,) = torch.autograd.grad((costs * x).sum(), theta)

    logits, neighbours = layer._logits(problem, theta)
    rng = layer._rng(theta.device)
    starts = np.tile(rng.integers(6, size=8), (1, 1))
    tours, _ = sample_tours(
        logits.detach().numpy(), neighbours, np.zeros((1, 6, 6)), starts, int(rng.integers(2**62)), False
    )
    z = torch.stack([torch.from_numpy(problem.decision_of(tour)) for tour in tours[0]])
    torch.testing.assert_close(x[0], z.mean(0))
    value = (costs * z).sum(-1)
    baseline = (value.sum() - value) / 7
    log_q = torch.stack([_log_q(logits[0], neighbours[0], tour) for tour in tours[0]])
    (expected,) = torch.autograd.grad(((value - baseline) * log_q).mean(), theta)
    torch.testing.assert_close(gradient, expected)


def test_decoders_and_active_search_shorten_tours():
    """More samples never lengthen the best tour; active search from the prior shortens it clearly."""
    n, k = 20, 8
    _, neighbours, cost = _instance(n, k)
    prior = neighbor_prior(n, k)[None]

    def best(logits, samples):
        tour = decode_tours(logits, neighbours, cost, samples, np.random.default_rng(0))[0]
        assert sorted(tour.tolist()) == list(range(n))
        return cost[0][tour, np.roll(tour, -1)].sum()

    greedy = best(prior, 0)
    assert best(prior, 200) <= greedy
    rng = np.random.default_rng(0)
    searched = active_search(prior, neighbours, cost, 100, 64, 0.1, rng)
    assert best(searched, 0) < greedy
    before, after = (reinforce(x, neighbours, cost, 500, rng)[1].mean() for x in (prior, searched))
    assert after < 0.85 * before


def test_sequence_score_is_the_gradient_of_log_q():
    """The priority variant for job shops against autograd; every sequence respects the jobs."""
    problem = JobShop.random(3, 4, generator=seeded())
    rng = np.random.default_rng(0)
    theta = rng.normal(size=12)
    drawn = sample_sequences(theta, problem.job, problem.first, problem.last, rng.random((5, 12)))
    weight = rng.normal(size=5)
    leaf = torch.from_numpy(theta).requires_grad_()
    total = 0.0
    for w, sequence in zip(weight, drawn, strict=True):
        following = [0, 4, 8]
        for chosen in sequence:
            open_ = [i for j, i in enumerate(following) if i < 4 * j + 4]
            assert chosen in open_
            total = total + w * (leaf[chosen] - torch.logsumexp(leaf[open_], 0))
            following[chosen // 4] += 1
    (expected,) = torch.autograd.grad(total, leaf)
    ours = sequence_score(theta, problem.job, problem.first, problem.last, drawn, weight)
    np.testing.assert_allclose(ours, expected, atol=1e-12)
