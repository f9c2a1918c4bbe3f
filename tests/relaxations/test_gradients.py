"""Each relaxation's gradient against an independent statement of it, over all of Z."""

import pytest
import torch

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Perturbation, SeededNoise
from diffcomb.problems import Assignment
from diffcomb.relaxations import (
    IMLE,
    AdaptiveIMLE,
    BlackBoxDifferentiation,
    ExactDecision,
    NegativeIdentity,
    PerturbedOptimizer,
)
from tests.registry import all_decisions, make_problem, seeded

NAMES = ["assignment", "shortest_path_grid", "knapsack"]


def data(name):
    """Costs and an upstream gradient."""
    problem = make_problem(name)
    theta = problem.random_costs(3, generator=seeded(2))
    g = torch.randn(theta.shape, generator=seeded(3), dtype=torch.float64) * theta.abs().mean()
    return problem, theta, g


def pulled_back(layer, theta, g):
    leaf = theta.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(layer(leaf), leaf, g)
    return gradient


def value(name, costs):
    """min over Z by enumeration, differentiable where the minimiser is unique."""
    return (costs @ all_decisions(name).T).amin(-1)


def central_differences(function, theta, step=1e-6):
    """Gradient of a (batch,) function of (batch, n), row by row at once."""
    steps = step * torch.eye(theta.shape[-1], dtype=torch.float64)
    columns = [(function(theta + d) - function(theta - d)) / (2 * step) for d in steps]
    return torch.stack(columns, -1)


def step_of(theta, g):
    """||theta|| / ||g||."""
    return (theta.norm(dim=-1) / g.norm(dim=-1))[:, None]


@pytest.mark.parametrize("name", NAMES)
def test_exact_decision_has_no_gradient(name):
    """The derivative of z* is zero."""
    problem, theta, g = data(name)
    assert bool((pulled_back(ExactDecision(problem), theta, g) == 0).all())


@pytest.mark.parametrize("name", NAMES)
def test_black_box_is_the_gradient_of_the_interpolation(name):
    """Central differences of (min (theta + lambda g)'z - min theta'z) / lambda."""
    problem, theta, g = data(name)
    step = 1.5 * step_of(theta, g)

    def interpolation(t):
        return (value(name, t + step * g) - value(name, t)) / step[:, 0]

    found = pulled_back(BlackBoxDifferentiation(problem, 1.5), theta, g)
    assert float(found.abs().max()) > 0
    torch.testing.assert_close(found, central_differences(interpolation, theta), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("center", ["none", "mean", "equalities"])
@pytest.mark.parametrize("normalize", [False, True])
def test_negative_identity_is_autograd_of_minus_the_projection(center, normalize):
    """Autograd through -P(theta), and P leaves the decision alone."""
    problem, theta, g = data("assignment")
    A = torch.from_numpy(problem.polytope().A.toarray())
    spanned = {"none": A[:0], "mean": torch.ones(1, 16, dtype=torch.float64), "equalities": A}[center]

    def projection(t):
        rest = t - (torch.linalg.pinv(spanned) @ (spanned @ t.T)).T
        return rest / rest.norm(dim=-1, keepdim=True) if normalize else rest

    leaf = theta.clone().requires_grad_()
    (expected,) = torch.autograd.grad(-projection(leaf), leaf, g)
    found = pulled_back(NegativeIdentity(problem, center, normalize), theta, g)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(problem.solve(projection(theta)).decision, problem.solve(theta).decision)


def test_negative_identity_refuses_a_mean_that_matters():
    """Knapsack decisions differ in their number of ones."""
    problem, theta, g = data("knapsack")
    with pytest.raises(UnsupportedError, match="equalities"):
        pulled_back(NegativeIdentity(problem, "mean"), theta, g)


@pytest.mark.parametrize("noise", ["normal", "gumbel", "sum_of_gamma"])
@pytest.mark.parametrize("name", NAMES)
def test_imle_is_the_gradient_of_the_perturbed_interpolation(name, noise):
    """Central differences, with common noise, of the interpolation above averaged over perturbed costs."""
    problem, theta, g = data(name)
    step = 0.8 * step_of(theta, g)
    ones = int(problem.solve(theta[:1]).decision.sum())
    e = -0.5 * theta.abs().mean(-1, keepdim=True) * SeededNoise(noise, 7)(4, theta, cardinality=ones)

    def interpolation(t):
        return (value(name, t + step * g + e) - value(name, t + e)).mean(0) / step[:, 0]

    found = pulled_back(IMLE(problem, 0.8, 0.5, 4, noise, 7), theta, g)
    assert float(found.abs().max()) > 0
    torch.testing.assert_close(found, central_differences(interpolation, theta), rtol=1e-6, atol=1e-6)


def test_adaptive_imle_is_the_central_version_and_moves_beta_towards_its_target():
    """The interpolation from theta - lambda g to theta + lambda g; beta falls while gradients are dense."""
    name = "assignment"
    problem, theta, g = data(name)
    step = 2.0 * step_of(theta, g)
    e = -0.5 * theta.abs().mean(-1, keepdim=True) * SeededNoise("gumbel", 7)(3, theta)

    def interpolation(t):
        return (value(name, t + step * g + e) - value(name, t - step * g + e)).mean(0) / (2 * step[:, 0])

    layer = AdaptiveIMLE(problem, beta=2.0, num_samples=3, noise="gumbel", seed=7)
    found = pulled_back(layer, theta, g)
    torch.testing.assert_close(found, central_differences(interpolation, theta), rtol=1e-6, atol=1e-6)
    assert float(layer.beta) < 2.0
    starting = AdaptiveIMLE(problem, beta=0.0)
    assert bool((pulled_back(starting, theta, g) == 0).all())
    assert float(starting.beta) > 0


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_perturbed_optimizer_is_reinforce_with_a_leave_one_out_baseline(kind):
    """Autograd of the mean of (g'z_m - mean of the others) log density of the perturbed costs."""
    problem, theta, g = data("assignment")
    costs, _ = Perturbation(0.5, 6, kind, seed=3)(theta)
    z = problem.solve(costs.reshape(-1, 16)).decision.reshape(costs.shape)
    reward = (z * g).sum(-1)
    advantage = reward - (reward.sum(0) - reward) / 5
    leaf = theta.clone().requires_grad_()
    if kind == "additive":
        spread = 0.5 * theta.abs().mean(-1, keepdim=True)
        density = torch.distributions.Normal(leaf, spread).log_prob(costs)
    else:
        density = torch.distributions.Normal(leaf.abs().log() - 0.125, 0.5).log_prob(costs.abs().log())
    (expected,) = torch.autograd.grad((advantage * density.sum(-1)).mean(0).sum(), leaf)
    found = pulled_back(PerturbedOptimizer(problem, 0.5, 6, kind, seed=3), theta, g)
    torch.testing.assert_close(found, expected)


def test_perturbed_optimizer_is_unbiased():
    """Assignment(2) has two decisions, so E z is a normal probability: means agree."""
    theta = torch.tensor([[1.0, 1.3, 0.9, 1.2]], dtype=torch.float64)
    g = torch.tensor([[1.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
    s = 0.4 * theta.mean()
    # z_1 = 1 iff theta_1 + theta_4 + noise < theta_2 + theta_3 + noise, the noise has deviation 2 s
    margin = (theta[0, 1] + theta[0, 2] - theta[0, 0] - theta[0, 3]) / (2 * s)
    slope = torch.exp(-0.5 * margin**2) / (2 * torch.pi) ** 0.5 / (2 * s)
    expected = slope * torch.tensor([-1.0, 1.0, 1.0, -1.0], dtype=torch.float64)
    layer = PerturbedOptimizer(Assignment(2), 0.4, 2000)
    estimates = torch.stack([pulled_back(layer, theta, g)[0] for _ in range(5)])
    error = estimates.mean(0) - expected
    assert float((error.abs() / (estimates.std(0) / 5**0.5)).max()) < 8.6  # t, 4 degrees of freedom, 0.1 %


def test_sum_of_gamma_over_k_coordinates_is_gumbel():
    """Mean 0.577 and variance pi^2 / 6 of the sum over k = 5 coordinates, within 4 standard errors."""
    noise = SeededNoise("sum_of_gamma", 1, terms=50)
    total = noise(1, torch.zeros(5000, 5), cardinality=5)[0].sum(-1)
    # the truncated series leaves out a tail of mean 1 / (2 s) and variance about 1 / s
    assert abs(float(total.mean()) - 0.5772) < 4 * 1.2825 / 5000**0.5 + 1 / 100
    assert abs(float(total.var()) - torch.pi**2 / 6) < 4 * 3.0 / 5000**0.5 + 1 / 50
