"""Losses of start times."""

import pytest
import torch

from diffcomb import DecisionLayer
from diffcomb.errors import UnsupportedError
from diffcomb.losses import ImitationLoss, PlannedStartLoss
from diffcomb.problems import Assignment, executed_starts, planned_start_cost
from tests.jobshop_cases import OBJECTIVES, random_shop
from tests.registry import seeded


def test_a_plan_with_the_true_durations_does_not_wait():
    """Actual starts are the planned ones; the cost is the objective plus idleness."""
    problem, p = random_shop(4, 3)
    plan = problem.solve(p[None]).decision
    torch.testing.assert_close(executed_starts(problem, plan, p[None]), plan, rtol=0, atol=1e-9)
    cost = planned_start_cost(problem, plan, p[None], waiting=3.0, idleness=0.0)
    torch.testing.assert_close(cost, problem.objective(plan, p[None]))


def test_actual_starts_are_feasible_and_never_before_the_plan():
    """Under any true durations."""
    problem, p = random_shop(4, 3)
    plan = problem.solve(p[None]).decision.expand(5, -1)
    true = problem.random_costs(5, generator=seeded(3))
    actual = executed_starts(problem, plan, true)
    assert bool((actual >= plan).all())
    assert bool(problem.is_feasible(actual, true).all())


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_gradient_in_the_plan(objective):
    """torch.autograd.gradcheck of the cost in the planned starts."""
    problem, p = random_shop(3, 3, objective)
    plan = problem.solve(p[None]).decision + 5 * torch.rand(1, 9, generator=seeded(), dtype=torch.float64)
    true = problem.random_costs(1, generator=seeded(4))
    assert torch.autograd.gradcheck(
        lambda z: planned_start_cost(problem, z, true), (plan.requires_grad_(),), eps=1e-6
    )


@pytest.mark.parametrize("loss_name", ["planned", "imitation"])
def test_gradient_through_the_layer(loss_name):
    """Central differences of the whole loss, discrete problem re-solved, in a random direction."""
    problem, p = random_shop(4, 3, seed=2)
    layer = DecisionLayer(problem)
    true = problem.random_costs(1, generator=seeded(8))
    target = true if loss_name == "planned" else problem.solve(true).decision
    loss = PlannedStartLoss(layer) if loss_name == "planned" else ImitationLoss(layer)
    theta = p[None].clone().requires_grad_()
    loss(theta, target).backward()
    direction = torch.rand(1, 12, generator=seeded(9), dtype=torch.float64)
    step = 1e-3
    with torch.no_grad():
        plus, minus = (loss(theta + s * step * direction, target) for s in (1, -1))
    torch.testing.assert_close(
        (theta.grad * direction).sum(), (plus - minus) / (2 * step), rtol=1e-5, atol=1e-5
    )


def test_learning_durations_through_the_plan():
    """Twenty steps on a scale factor of the durations bring the planned-start cost below 0.75 x."""
    problem, p = random_shop(4, 3, seed=1)
    loss = PlannedStartLoss(DecisionLayer(problem))
    scale = torch.full((), -1.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([scale], lr=0.1)
    history = []
    for _ in range(20):
        optimizer.zero_grad()
        value = loss((p * scale.exp())[None], p[None])
        value.backward()
        optimizer.step()
        history.append(float(value.detach()))
    assert history[-1] < 0.75 * history[0]


def test_anchor_adds_the_squared_error():
    """The mean squared error of the durations, weighed, and its gradient."""
    problem, p = random_shop(3, 2)
    true = problem.random_costs(2, generator=seeded(5))
    theta = p.expand(2, -1).clone().requires_grad_()
    layer = DecisionLayer(problem)
    added = PlannedStartLoss(layer, anchor=0.5)(theta, true) - PlannedStartLoss(layer)(theta, true)
    torch.testing.assert_close(added, 0.5 * (theta - true).square().mean())
    (gradient,) = torch.autograd.grad(added, theta)
    torch.testing.assert_close(gradient, (theta - true).detach() / theta.numel())


def test_other_problems_are_refused():
    """Start-time losses need start times."""
    layer = DecisionLayer(Assignment(2))
    with pytest.raises(UnsupportedError, match="JobShop"):
        PlannedStartLoss(layer)(torch.rand(1, 4), torch.rand(1, 4))
    with pytest.raises(UnsupportedError, match="JobShop"):
        ImitationLoss(layer)(torch.rand(1, 4), torch.rand(1, 4))
