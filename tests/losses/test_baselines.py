"""SPO+, perturbed Fenchel-Young, perturbation gradient, score function: enumeration and differences."""

import pytest
import torch

from diffcomb.layers import Perturbation, SeededNoise
from diffcomb.losses import (
    PerturbationGradientLoss,
    PerturbedFenchelYoungLoss,
    PerturbedSPOPlusLoss,
    ScoreFunctionLoss,
    SPOPlusLoss,
)
from diffcomb.relaxations import ExactDecision
from tests.losses.cases import NAMES, data, differences, directions_for, gradient_of, value
from tests.registry import all_decisions, seeded


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


@pytest.mark.parametrize("kind", ["additive", "absolute", "multiplicative"])
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


@pytest.mark.parametrize("name", NAMES)
def test_perturbed_spo_plus_gradient_is_twice_the_residual_at_the_shifted_costs(name):
    """2 (z - mean z*(perturbed 2 theta - c)) / batch by enumeration, the noise in common."""
    problem, theta, costs, z = data(name)
    loss = PerturbedSPOPlusLoss(ExactDecision(problem), 0.4, 5, "absolute", seed=2)
    perturbed, _ = Perturbation(0.4, 5, "absolute", seed=2)(2 * theta - costs)
    decisions = all_decisions(name)
    mean = decisions[(perturbed @ decisions.T).argmin(-1)].mean(0)
    torch.testing.assert_close(gradient_of(loss, theta, costs, z), 2 * (z - mean) / len(theta))


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


def test_score_function_gradient_is_reinforce_of_the_sampled_costs():
    """Value: mean sampled cost; gradient: leave-one-out REINFORCE written out; any cost function."""
    problem, theta, costs, _ = data("assignment")
    loss = ScoreFunctionLoss(ExactDecision(problem), 0.5, 6, 3, cost=lambda z, c: (c * z).amax(-1))
    s = 0.5 * theta.abs().mean(-1, keepdim=True)
    y = theta + s * SeededNoise("normal", 3)(6, theta)
    f = (costs * problem.solve(y.reshape(-1, 16)).decision.reshape(y.shape)).amax(-1)
    baseline = (f.sum(0) - f) / 5
    expected = ((f - baseline)[..., None] * (y - theta) / s**2).mean(0) / 3
    found = gradient_of(loss, theta, costs)
    torch.testing.assert_close(found, expected)
    again = ScoreFunctionLoss(ExactDecision(problem), 0.5, 6, 3, cost=lambda z, c: (c * z).amax(-1))
    torch.testing.assert_close(again(theta, costs), f.mean())
