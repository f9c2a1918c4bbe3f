"""Losses with a gradient of their own, against enumeration of Z, finite differences and inequalities."""

import pytest
import torch

from diffcomb.layers import Perturbation
from diffcomb.losses import PerturbationGradientLoss, PerturbedFenchelYoungLoss, SPOPlusLoss
from diffcomb.relaxations import ExactDecision
from tests.registry import LOSSES, all_decisions, make_problem, seeded

NAMES = ["assignment", "shortest_path_grid", "knapsack"]


def data(name):
    """Predicted costs, true costs, optimal decisions."""
    problem = make_problem(name)
    generator = seeded(4)
    theta = problem.random_costs(3, generator=generator)
    costs = problem.random_costs(3, generator=generator)
    return problem, theta, costs, problem.solve(costs).decision


def gradient_of(loss, theta, *supervision):
    leaf = theta.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf, *supervision), leaf)
    return gradient


def value(name, costs):
    """min over Z by enumeration."""
    return (costs @ all_decisions(name).T).amin(-1)


def differences(function, theta, directions, step=1e-6):
    """Directional derivatives of a scalar function of theta (batch, n)."""
    return torch.stack(
        [(function(theta + step * d) - function(theta - step * d)) / (2 * step) for d in directions]
    )


def directions_for(theta, *, keep_scale=False):
    """Five random directions; with keep_scale mean|theta| and ||theta|| stay as they are."""
    drawn = torch.randn(5, *theta.shape, generator=seeded(8), dtype=torch.float64)
    if keep_scale:
        fixed = torch.stack([theta.sign(), theta], -1)  # (batch, n, 2)
        basis = torch.linalg.qr(fixed).Q
        drawn = drawn - (basis @ (basis.mT @ drawn[..., None]))[..., 0]
    return drawn


@pytest.mark.parametrize("name", NAMES)
def test_spo_plus_formula_bound_and_subgradient_inequality(name):
    """Value by enumeration; never below the regret; l(u) >= l(theta) + l'(theta)(u - theta)."""
    problem, theta, costs, z = data(name)
    loss = SPOPlusLoss(ExactDecision(problem))

    def formula(t):
        return (2 * (t * z).sum(-1) - (costs * z).sum(-1) - value(name, 2 * t - costs)).mean()

    torch.testing.assert_close(loss(theta, costs, z), formula(theta))
    regret = (costs * (problem.solve(theta).decision - z)).sum(-1).mean()
    assert float(loss(theta, costs, z)) >= float(regret) - 1e-12
    assert abs(float(loss(costs, costs, z))) < 1e-12
    gradient = gradient_of(loss, theta, costs, z)
    for seed in range(20):
        other = problem.random_costs(3, generator=seeded(100 + seed)) * (1 - seed / 5)
        assert float(formula(other)) >= float(formula(theta) + (gradient * (other - theta)).sum()) - 1e-9
    torch.testing.assert_close(
        (directions_for(theta) * gradient).sum((1, 2)),
        differences(formula, theta, directions_for(theta)),
        rtol=1e-6,
        atol=1e-6,
    )


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
@pytest.mark.parametrize("name", NAMES)
def test_perturbed_fenchel_young_gradient_with_common_noise(name, kind):
    """Finite differences of theta'z - mean min of perturbed costs by enumeration, the noise in common."""
    problem, theta, _, z = data(name)

    def formula(t):
        perturbed, _ = Perturbation(0.4, 5, kind, seed=2)(t)
        return ((t * z).sum(-1) - value(name, perturbed).mean(0)).mean()

    make = lambda: PerturbedFenchelYoungLoss(ExactDecision(problem), 0.4, 5, kind, seed=2)  # noqa: E731
    torch.testing.assert_close(make()(theta, z), formula(theta))
    directions = directions_for(theta, keep_scale=True)
    torch.testing.assert_close(
        (directions * gradient_of(make(), theta, z)).sum((1, 2)),
        differences(formula, theta, directions),
        rtol=1e-6,
        atol=1e-6,
    )


@pytest.mark.parametrize("difference", ["backward", "forward", "central"])
@pytest.mark.parametrize("name", NAMES)
def test_perturbation_gradient_formula_and_bounds(name, difference):
    """Value and gradient by enumeration; backward is above c'z*(theta), forward below."""
    problem, theta, costs, _ = data(name)
    h = 0.7 * (theta.norm(dim=-1) / costs.norm(dim=-1))[:, None]

    def formula(t):
        back, middle, ahead = value(name, t - h * costs), value(name, t), value(name, t + h * costs)
        found = {"backward": middle - back, "forward": ahead - middle, "central": (ahead - back) / 2}
        return (found[difference] / h[:, 0]).mean()

    loss = PerturbationGradientLoss(ExactDecision(problem), 0.7, difference)
    torch.testing.assert_close(loss(theta, costs), formula(theta))
    directions = directions_for(theta)
    torch.testing.assert_close(
        (directions * gradient_of(loss, theta, costs)).sum((1, 2)),
        differences(formula, theta, directions),
        rtol=1e-6,
        atol=1e-6,
    )
    true_cost = float((costs * problem.solve(theta).decision).sum(-1).mean())
    if difference == "backward":
        assert float(formula(theta)) >= true_cost
    if difference == "forward":
        assert float(formula(theta)) <= true_cost


@pytest.mark.parametrize("name", LOSSES)
def test_single_vectors_and_float32(name):
    """A batch of one costs the same as its single vector; float32 in, float32 gradient out."""
    problem, theta, costs, z = data("assignment")
    fields = {"costs": costs.float(), "decisions": z.float()}
    losses = [LOSSES[name](problem) for _ in range(2)]
    supervision = [fields[f] for f in losses[0].needs]
    batch = losses[0](theta[:1].float(), *(s[:1] for s in supervision))
    leaf = theta[0].float().requires_grad_()
    single = losses[1](leaf, *(s[0] for s in supervision))
    torch.testing.assert_close(batch, single)
    single.backward()
    assert leaf.grad.dtype == torch.float32
    assert bool(torch.isfinite(leaf.grad).all())
