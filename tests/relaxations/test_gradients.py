"""Each relaxation's gradient against an independent statement of it, over all of Z."""

import pytest
import torch

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Perturbation, SeededNoise, projector_of
from diffcomb.problems import Assignment, TravelingSalesman
from diffcomb.relaxations import (
    IMLE,
    LPGD,
    QPTL,
    AdaptiveIMLE,
    BlackBoxDifferentiation,
    ExactDecision,
    FiniteDifferences,
    MIPaaL,
    NegativeIdentity,
    PerturbedOptimizer,
    SparseMAP,
    StraightThrough,
)
from diffcomb.relaxations.convex.proximal import proximal_decision
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
    equal = torch.full((1, problem.num_costs), float(problem.cost_sign), dtype=torch.float64)
    ones = int(problem.solve(equal).decision.sum())
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


@pytest.mark.parametrize("name", NAMES)
def test_lpgd_without_proximal_term_is_black_box_differentiation(name):
    """rho = 0, mode "upper"; "average" is the mean of "upper" and "lower"."""
    problem, theta, g = data(name)
    upper, lower, average = (
        pulled_back(LPGD(problem, 1.5, 0.0, mode), theta, g) for mode in ("upper", "lower", "average")
    )
    torch.testing.assert_close(upper, pulled_back(BlackBoxDifferentiation(problem, 1.5), theta, g))
    torch.testing.assert_close(average, (upper + lower) / 2)


@pytest.mark.parametrize("name", ["assignment", "shortest_path_grid"])
def test_lpgd_solves_its_proximal_problem(name):
    """x = z + tau d theta satisfies the variational inequality of the proximal problem over all of Z."""
    problem, theta, g = data(name)
    tau, rho = 1.5 * step_of(theta, g), 0.7 * theta.abs().mean(-1, keepdim=True)
    z = problem.solve(theta).decision
    x = z + tau * pulled_back(LPGD(problem, 1.5, 0.7, "upper"), theta, g)
    _assert_optimal_over_hull(name, x, theta + tau * g + rho * (x - z))
    assert float((x - z).abs().max()) > 0


@pytest.mark.parametrize("relaxation", [QPTL, SparseMAP])
@pytest.mark.parametrize("name", ["assignment", "shortest_path_grid"])
def test_quadratic_relaxations_are_optimal_and_differentiated_exactly(name, relaxation):
    """Variational inequality of theta'x + gamma ||x||^2 over Z; gradient against differences of x."""
    problem, theta, g = data(name)
    layer = relaxation(problem, 0.8)
    x = layer(theta.clone().requires_grad_()).detach()
    gamma = (0.8 if relaxation is QPTL else 0.4) * theta.abs().mean(-1, keepdim=True)
    _assert_optimal_over_hull(name, x, theta + 2 * gamma * x)
    # mean|theta| is a constant of the backward pass: directions that do not change it
    directions = torch.randn(5, *theta.shape, generator=seeded(9), dtype=torch.float64)
    directions = directions - theta.sign() * (directions * theta.sign()).mean(-1, keepdim=True)
    found = (directions * pulled_back(layer, theta, g)).sum((1, 2))
    expected = []
    for d in 1e-6 * directions:
        ahead, back = (layer((theta + s * d).requires_grad_()).detach() for s in (1, -1))
        expected.append(((ahead - back) * g).sum() / 2e-6)
    assert float(found.abs().max()) > 0
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-5, atol=1e-6)


def _assert_optimal_over_hull(name, x, gradient):
    """x in the (integral) polytope, and no member of Z lies downhill."""
    polytope = make_problem(name).polytope()
    assert polytope.integral
    torch.testing.assert_close(
        x @ torch.from_numpy(polytope.A.toarray()).T, torch.from_numpy(polytope.b).expand(len(x), -1)
    )
    assert float(x.min()) > -1e-9
    downhill = (gradient @ all_decisions(name).T).amin(-1) - (gradient * x).sum(-1)
    assert float(downhill.min()) > -1e-9


def test_mipaal_without_cuts_is_the_jacobian_of_qptl():
    """An assignment's linear program is integral: exact decision, the gradient of QPTL."""
    problem, theta, g = data("assignment")
    layer = MIPaaL(problem, 0.8)
    torch.testing.assert_close(layer(theta.clone().requires_grad_()).detach(), problem.solve(theta).decision)
    torch.testing.assert_close(pulled_back(layer, theta, g), pulled_back(QPTL(problem, 0.8), theta, g))


def test_mipaal_adds_the_cuts_it_needs():
    """Two far clusters of three cities: degrees alone leave subtours, the cuts remove them and the
    gradient is that of the program with them."""
    problem = TravelingSalesman.from_coordinates(
        torch.tensor([[0, 0], [0, 1], [1, 0], [10, 10], [10, 11], [11, 10]], dtype=torch.float64)
    )
    theta = problem.costs[None] + 0.01 * problem.random_costs(1, generator=seeded())
    g = torch.randn(theta.shape, generator=seeded(1), dtype=torch.float64)
    layer = MIPaaL(problem, 0.5)
    z = layer(theta.clone().requires_grad_()).detach()
    torch.testing.assert_close(z, problem.solve(theta).decision)
    without = pulled_back(QPTL(problem, 0.5), theta, g)
    assert float((pulled_back(layer, theta, g) - without).abs().max()) > 1e-6
    # the solver that separates at the regularised point meets the same subtour row here
    complete = proximal_decision(problem, projector_of(problem), theta, theta.abs().mean(-1))
    torch.testing.assert_close(pulled_back(layer, theta, g), complete.adjoint(g))


def test_straight_through_is_autograd_of_a_sigmoid():
    """-theta / T through a sigmoid, T held constant."""
    problem, theta, g = data("knapsack")
    unit = 0.7 * theta.abs().mean(-1, keepdim=True)
    leaf = theta.clone().requires_grad_()
    (expected,) = torch.autograd.grad(torch.sigmoid(-leaf / unit), leaf, g)
    torch.testing.assert_close(pulled_back(StraightThrough(problem, 0.7), theta, g), expected)


@pytest.mark.parametrize("num_directions", [None, 3])
def test_finite_differences_by_enumeration(num_directions):
    """One coordinate (or direction) at a time, decisions by trying all of Z."""
    problem, theta, g = data("assignment")
    members = all_decisions("assignment")
    found = pulled_back(FiniteDifferences(problem, 0.9, num_directions, seed=5), theta, g)
    directions = torch.eye(16, dtype=torch.float64)[:, None].expand(16, 3, 16)
    if num_directions:
        directions = SeededNoise("normal", 5)(num_directions, theta)
    expected = torch.zeros_like(theta)
    for row in range(3):
        h = 0.9 * theta[row].abs().mean()
        for u in directions[:, row]:
            ahead, back = (members[(members @ (theta[row] + s * h * u)).argmin()] for s in (1, -1))
            expected[row] += u * (g[row] @ (ahead - back)) / (2 * h) / (num_directions or 1)
    assert float(found.abs().max()) > 0
    torch.testing.assert_close(found, expected)


def test_sum_of_gamma_over_k_coordinates_is_gumbel():
    """Mean 0.577 and variance pi^2 / 6 of the sum over k = 5 coordinates, within 4 standard errors."""
    noise = SeededNoise("sum_of_gamma", 1, terms=50)
    total = noise(1, torch.zeros(5000, 5), cardinality=5)[0].sum(-1)
    # the truncated series leaves out a tail of mean 1 / (2 s) and variance about 1 / s
    assert abs(float(total.mean()) - 0.5772) < 4 * 1.2825 / 5000**0.5 + 1 / 100
    assert abs(float(total.var()) - torch.pi**2 / 6) < 4 * 3.0 / 5000**0.5 + 1 / 50
