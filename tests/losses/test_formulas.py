"""Each loss has the value and the gradient its docstring states."""

import torch

from diffcomb import DecisionLayer, FenchelYoungLoss, RegretLoss, SmoothedSPOPlusLoss, optimal_value
from diffcomb.layers import exactness_threshold
from diffcomb.losses import OptimalValueLoss
from diffcomb.problems import Assignment
from tests.registry import seeded

PROBLEM = Assignment(4)


def _data():
    generator = seeded(5)
    theta = PROBLEM.random_costs(3, generator=generator).requires_grad_()
    costs = PROBLEM.random_costs(3, generator=generator)
    return theta, costs, PROBLEM.solve(costs).decision


def test_fenchel_young_gradient_is_target_minus_relaxed_decision():
    """Gradient (z - x_rho) / batch, and the loss is never negative."""
    theta, _, z = _data()
    layer = DecisionLayer(PROBLEM, rho=0.3)
    loss = FenchelYoungLoss(layer)(theta, z)
    loss.backward()
    x, _ = layer.relax(theta.detach())
    assert float(loss.detach()) >= 0
    torch.testing.assert_close(theta.grad, (z - x) / 3)


def test_fenchel_young_is_zero_exactly_below_the_threshold():
    """Zero at rho <= rho_bar with z = z*, positive above."""
    theta, _, _ = _data()
    theta = theta.detach()[:1]
    z = PROBLEM.solve(theta).decision
    rho_bar = float(exactness_threshold(PROBLEM, theta))
    below = FenchelYoungLoss(DecisionLayer(PROBLEM, rho=0.999 * rho_bar))(theta, z)
    above = FenchelYoungLoss(DecisionLayer(PROBLEM, rho=1.5 * rho_bar))(theta, z)
    assert abs(float(below)) < 1e-12
    assert float(above) > 1e-6


def test_fenchel_young_gradcheck():
    """Finite differences agree."""
    theta, _, z = _data()
    loss = FenchelYoungLoss(DecisionLayer(PROBLEM, rho=0.3))
    assert torch.autograd.gradcheck(lambda t: loss(t, z), (theta,), atol=1e-6)


def test_smoothed_spo_plus_gradient():
    """2 (z - x_rho(2 theta - c)) / batch."""
    theta, costs, z = _data()
    layer = DecisionLayer(PROBLEM, rho=0.3)
    SmoothedSPOPlusLoss(layer)(theta, costs, z).backward()
    x, _ = layer.relax(2 * theta.detach() - costs)
    torch.testing.assert_close(theta.grad, 2 * (z - x) / 3)


def test_regret_gradient_does_not_depend_on_the_decision():
    """decision="exact" and "relaxed" send back the same gradient of a linear loss."""
    theta, costs, _ = _data()
    gradients = []
    for decision in ("exact", "relaxed"):
        layer = DecisionLayer(PROBLEM, rho=0.3, decision=decision)
        (gradient,) = torch.autograd.grad(RegretLoss(layer)(theta, costs), theta)
        gradients.append(gradient)
    assert float(gradients[0].abs().max()) > 0
    torch.testing.assert_close(gradients[0], gradients[1])


def test_optimal_value_gradient_is_the_optimal_decision():
    """Danskin: dV/dtheta = z*, and the loss built on it passes gradcheck."""
    theta, costs, z = _data()
    (gradient,) = torch.autograd.grad(optimal_value(PROBLEM, theta).sum(), theta)
    torch.testing.assert_close(gradient, PROBLEM.solve(theta.detach()).decision)
    loss = OptimalValueLoss(DecisionLayer(PROBLEM))
    assert torch.autograd.gradcheck(lambda t: loss(t, costs, z), (theta,), atol=1e-6)


def test_lists_of_different_problems_average_over_instances():
    """A list of two sizes gives the mean of the two losses."""
    small, large = Assignment(3), Assignment(5)
    thetas = [p.random_costs(1, generator=seeded(1))[0].requires_grad_() for p in (small, large)]
    targets = [p.solve(p.random_costs(1, generator=seeded(2))[0]).decision for p in (small, large)]
    together = FenchelYoungLoss(DecisionLayer([small, large], rho=0.3))(thetas, targets)
    apart = [
        FenchelYoungLoss(DecisionLayer(p, rho=0.3))(t[None], z[None])
        for p, t, z in zip((small, large), thetas, targets, strict=True)
    ]
    torch.testing.assert_close(together, (apart[0] + apart[1]) / 2)
    together.backward()
    assert all(t.grad is not None for t in thetas)
