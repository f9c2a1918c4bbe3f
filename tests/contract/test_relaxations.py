"""What every relaxation promises: exact decisions when judged, batches and lists, seeded noise."""

import copy

import pytest
import torch

from diffcomb.errors import DiffcombError
from diffcomb.problems import Assignment, JobShop, Knapsack, TravelingSalesman
from tests.registry import RELAXATIONS, seeded

PROBLEMS = [
    Assignment(3),
    TravelingSalesman(5),
    Knapsack([[3, 5, 2, 7, 4, 6], [4, 1, 6, 2, 3, 5]], [12, 9]),
]


def _gradient(layer, theta, weight):
    leaf = theta.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((layer(leaf) * weight).sum(), leaf)
    return gradient


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("name", RELAXATIONS)
def test_decisions_without_gradient_are_the_oracles(name, problem):
    """Validation and test judge z*(theta), in the dtype of theta, for batches and single vectors."""
    layer = RELAXATIONS[name](problem)
    theta = problem.random_costs(4, generator=seeded(), dtype=torch.float32)
    decided = layer(theta)
    assert decided.dtype == torch.float32
    torch.testing.assert_close(decided, problem.solve(theta).decision)
    torch.testing.assert_close(layer(theta[0]), decided[0])


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("name", RELAXATIONS)
def test_training_decisions_lie_in_the_box_and_gradients_are_finite(name, problem):
    """In training the decision is in [0, 1]^n; a zero cost vector and a zero gradient give no NaN."""
    layer = RELAXATIONS[name](problem)
    theta = problem.random_costs(4, generator=seeded())
    theta[0] = 0
    weight = torch.randn(theta.shape, generator=seeded(1), dtype=torch.float64)
    weight[1] = 0
    leaf = theta.requires_grad_()
    x = layer(leaf)
    assert float(x.detach().min()) >= -1e-9
    assert float(x.detach().max()) <= 1 + 1e-9
    (x * weight).sum().backward()
    assert bool(torch.isfinite(leaf.grad).all())
    assert bool((leaf.grad[1] == 0).all())


@pytest.mark.parametrize("name", RELAXATIONS)
def test_noise_is_seeded_and_goes_on_after_a_checkpoint(name):
    """Two layers alike give equal gradients; a state_dict carries on where the first stopped."""
    problem = PROBLEMS[0]
    theta = problem.random_costs(3, generator=seeded())
    weight = torch.randn(theta.shape, generator=seeded(1), dtype=torch.float64)
    first, second = (RELAXATIONS[name](problem) for _ in range(2))
    torch.testing.assert_close(_gradient(first, theta, weight), _gradient(second, theta, weight))
    state = copy.deepcopy(first.state_dict())
    after = _gradient(first, theta, weight)
    resumed = RELAXATIONS[name](problem)
    resumed.load_state_dict(state)
    torch.testing.assert_close(_gradient(resumed, theta, weight), after)


@pytest.mark.parametrize("name", RELAXATIONS)
def test_lists_of_different_problems(name):
    """Each vector of a list is decided by its own problem, and gets a gradient of its own length."""
    problems = [PROBLEMS[0], PROBLEMS[1], PROBLEMS[0]]
    layer = RELAXATIONS[name](problems)
    thetas = [p.random_costs(1, generator=seeded(i))[0].requires_grad_() for i, p in enumerate(problems)]
    with torch.no_grad():
        for problem, theta, z in zip(problems, thetas, layer(thetas), strict=True):
            torch.testing.assert_close(z, problem.solve(theta).decision)
    sum((z * torch.arange(len(z))).sum() for z in layer(thetas)).backward()
    assert all(theta.grad.shape == theta.shape for theta in thetas)


@pytest.mark.parametrize("name", RELAXATIONS)
def test_what_cannot_be_decided_is_refused(name):
    """Costs that are NaN or too long, and job shops, whose decisions are not 0-1."""
    layer = RELAXATIONS[name](PROBLEMS[0])
    for bad in (torch.full((2, 9), torch.nan), torch.ones(2, 8)):
        with pytest.raises(DiffcombError):
            layer(bad.requires_grad_())
    shop = JobShop([[0, 1], [1, 0]])
    with pytest.raises(DiffcombError, match="JobShop"):
        RELAXATIONS[name](shop)(torch.ones(1, 4).requires_grad_())
