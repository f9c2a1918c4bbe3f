"""Gradients of start times and values against the re-solved discrete problem."""

import os
from pathlib import Path

import pytest
import torch

from diffcomb import DecisionLayer, optimal_value
from diffcomb.problems import JobShop
from tests.jobshop_cases import OBJECTIVES, random_shop
from tests.registry import seeded

DATA = Path(os.environ.get("DIFFCOMB_DATA", "data")) / "jobshop"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="DIFFCOMB_DATA has no jobshop folder")


def cosines(problem, p, step=1e-3, directions=None):
    """(value, starts): cosine of gradients with central differences of fresh proofs around p.

    Every perturbed shop is solved from nothing, to proof. The step is far above the grid on which
    sequences are proven, far below the distance to the next optimal sequence of these instances.
    Along every coordinate, or along that many random directions, all coordinates at once.
    """
    n = problem.num_costs
    weights = torch.rand(n, generator=seeded(5), dtype=torch.float64)
    value_grad, start_grad = p.clone().requires_grad_(), p.clone().requires_grad_()
    optimal_value(problem, value_grad).backward()
    (DecisionLayer(problem)(start_grad) * weights).sum().backward()
    along = torch.eye(n, dtype=torch.float64)
    if directions is not None:
        along = torch.randn(directions, n, generator=seeded(6), dtype=torch.float64)
    shifted = torch.cat([p + step * along, p - step * along])
    result = problem.solve(shifted, num_workers=1)
    assert result.is_optimal
    assert bool(result.unique.all()) or problem.ties != "perturb"
    found = []
    for f, gradient in ((result.value, value_grad.grad), (result.decision @ weights, start_grad.grad)):
        plus, minus = f.chunk(2)
        slope = (plus - minus) / (2 * step)
        found.append(float(torch.cosine_similarity(slope, along @ gradient, dim=0)))
    return found


def jittered(name):
    problem = JobShop.from_file(DATA / f"{name}.txt")
    noise = 2 * torch.rand(problem.num_costs, generator=seeded(), dtype=torch.float64) - 1
    return problem, problem.costs * (1 + 0.1 * noise)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("size", [(3, 3), (4, 3)])
def test_gradients_are_those_of_the_resolved_problem(objective, size):
    """Value and start times, every objective: cosine 1 - 1e-6."""
    problem, p = random_shop(*size, objective, seed=1)
    assert min(cosines(problem, p)) >= 1 - 1e-6


def test_six_by_six_makespan():
    """The classical size, real-valued durations."""
    assert min(cosines(*random_shop(6, 6, seed=2))) >= 1 - 1e-6


@pytest.mark.parametrize("objective", OBJECTIVES[1:])
def test_due_dates_and_sums_at_a_larger_size(objective):
    """Three random directions of 5x4 shops for the sums over jobs."""
    assert min(cosines(*random_shop(5, 4, objective, seed=3), directions=3)) >= 1 - 1e-6


@needs_data
@pytest.mark.parametrize("name", ["la03", "la17"])
def test_two_public_instances(name):
    """Three random directions of a 10x5 and a 10x10 shop."""
    assert min(cosines(*jittered(name), directions=3)) >= 1 - 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("size", [(7, 7), (8, 8), (10, 10)])
def test_larger_random_shops(size):
    """Ten random directions of larger shops."""
    assert min(cosines(*random_shop(*size, seed=2), directions=10)) >= 1 - 1e-6


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize("name", ["ft06", "la01", "la02", "la03", "la04", "la05", "la16", "la17", "la18"])
def test_jittered_public_instances(name):
    """Every coordinate of ft06, ten random directions of the others."""
    assert min(cosines(*jittered(name), directions=None if name == "ft06" else 10)) >= 1 - 1e-6


@needs_data
def test_whole_durations_take_one_derivative_and_say_so():
    """ft06 as published: V is differentiable there although schedules tie; the layer flags the ties."""
    problem = JobShop.from_file(DATA / "ft06.txt")
    assert cosines(problem, problem.costs)[0] >= 1 - 1e-6
    layer = DecisionLayer(problem)
    layer(problem.costs.clone().requires_grad_())
    assert layer.last.tied.tolist() == [True]


def test_real_durations_are_not_flagged():
    """`tied` is False and `unique` True at generic durations."""
    problem, p = random_shop(4, 3)
    layer = DecisionLayer(problem)
    z = layer(p.clone().requires_grad_())
    assert layer.last.tied.tolist() == [False]
    assert layer.last.unique.tolist() == [True]
    assert torch.equal(z.detach(), problem.solve(p).decision)


def test_critical_path_is_the_gradient_of_the_makespan():
    """Ones on a chain of operations whose durations add up to the makespan, zeros elsewhere."""
    problem, p = random_shop(5, 4, seed=7)
    theta = p.clone().requires_grad_()
    value = optimal_value(problem, theta)
    value.backward()
    assert set(theta.grad.tolist()) == {0.0, 1.0}
    torch.testing.assert_close((theta.grad * p).sum(), value.detach(), rtol=0, atol=1e-8)
