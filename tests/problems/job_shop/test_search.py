"""The job-shop oracle against every sequence, and its searches against its proofs."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diffcomb.problems import JobShop
from diffcomb.problems.job_shop.search.dispatch import dispatch
from diffcomb.problems.job_shop.search.grid import common_grid
from diffcomb.problems.job_shop.search.machine_orders import Operations
from diffcomb.problems.job_shop.search.makespan_tabu import MakespanTabu
from diffcomb.problems.job_shop.search.start import best_dispatch, lower_bound, start_schedule
from tests.jobshop_cases import OBJECTIVES, brute_force, random_shop
from tests.registry import seeded

DATA = Path(os.environ.get("DIFFCOMB_DATA", "data")) / "jobshop"


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("size", [(3, 2), (2, 4), (3, 3)])
@pytest.mark.parametrize("whole", [False, True])
def test_value_and_starts_are_the_best_of_all_sequences(objective, size, whole):
    """Proven, equal to the enumeration in value; in start times too where optima are chosen among."""
    problem, p = random_shop(*size, objective)
    p = p.round() if whole else p
    result = problem.solve(p)
    value, starts = brute_force(problem, p)
    assert str(result.status) == "optimal"
    assert float(result.value) == pytest.approx(value, rel=1e-6, abs=1e-4)
    assert bool(problem.is_feasible(result.decision, p))
    if not whole:
        assert bool(result.unique)
        np.testing.assert_allclose(result.decision.numpy(), starts, rtol=0, atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(
    jobs=st.integers(1, 3),
    machines=st.integers(1, 3),
    objective=st.sampled_from(OBJECTIVES),
    seed=st.integers(0, 10_000),
    ties=st.sampled_from(["perturb", "starts", "any"]),
)
def test_any_small_shop_is_solved(jobs, machines, objective, seed, ties):
    """Whole durations, zeros included, any objective, any rule for ties: the enumerated optimum."""
    problem = JobShop.random(jobs, machines, objective, generator=seeded(seed), ties=ties)
    p = torch.randint(0, 6, (problem.num_costs,), generator=seeded(seed)).double()
    result = problem.solve(p)
    assert result.is_optimal
    assert float(result.value) == pytest.approx(brute_force(problem, p)[0], abs=1e-6)
    assert bool(problem.is_feasible(result.decision, p))


def test_tabu_search_reaches_the_proven_makespan():
    """On 6x6 it agrees with CP-SAT's proof, and its schedule is feasible with that makespan."""
    for seed in range(4):
        problem = JobShop.random(6, 6, generator=seeded(seed), ties="any")
        p = problem.costs.numpy().astype(np.int64)
        sequence = dispatch(problem.job, problem.machine, problem.first, problem.last, p, np.zeros(36))
        search = MakespanTabu(Operations(problem.job, p), problem.machine, sequence, seed)
        search.run(20_000, 5_000, 0)
        starts = torch.from_numpy(search.starts).double()
        assert bool(problem.is_feasible(starts))
        assert float(problem.objective(starts, problem.costs)) == search.best
        assert search.best == float(problem.solve().value)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_start_schedule_and_lower_bound_enclose_the_optimum(objective):
    """Over every sequence of two shops: bound <= optimum <= cost of the first schedule, which is feasible."""
    for seed in range(2):
        problem = JobShop.random(3, 3, objective, generator=seeded(seed), ties="any")
        grid = common_grid(problem, problem.costs.numpy())
        starts, cost = start_schedule(problem, grid, seed, None)
        optimum = brute_force(problem, problem.costs)[0] * grid.per_unit * grid.weight_scale
        schedule = torch.from_numpy(starts / grid.per_unit)
        assert bool(problem.is_feasible(schedule))
        assert grid.value(cost) == pytest.approx(float(problem.objective(schedule, problem.costs)))
        assert lower_bound(problem, grid) <= optimum + 1e-6 <= cost + 2e-6


@pytest.mark.parametrize("objective", OBJECTIVES[1:])
def test_annealing_improves_on_dispatching(objective):
    """Ten 10x10 shops: the mean cost of the first schedule is at most 0.97 x that of the best rule."""
    dispatched, annealed = 0.0, 0.0
    for seed in range(10):
        problem = JobShop.random(10, 10, objective, generator=seeded(seed), ties="any")
        grid = common_grid(problem, problem.costs.numpy())
        starts = torch.from_numpy(best_dispatch(problem, grid, 0))
        dispatched += float(problem.objective(problem.execute(starts, problem.costs), problem.costs))
        annealed += grid.value(start_schedule(problem, grid, 0, None)[1])
    assert annealed < 0.97 * dispatched


def test_the_same_seed_gives_the_same_schedule():
    """Searches are deterministic."""
    problem, p = random_shop(8, 5, seed=3)
    first, second = problem.solve(p, seed=1), problem.solve(p, seed=1)
    assert torch.equal(first.decision, second.decision)


def test_time_limit_returns_the_incumbent_with_its_bound():
    """20x20 within a second: feasible, not proven, bound below value."""
    problem = JobShop.random(20, 20, generator=seeded(), ties="any")
    result = problem.solve(time_limit=1.0)
    assert "optimal" not in str(result.status)
    assert bool(problem.is_feasible(result.decision))
    assert 0 < float(result.bound) < float(result.value)


def test_batches_and_float32():
    """A batch is solved row by row; dtype and shape are those of theta."""
    problem, _ = random_shop(3, 3)
    theta = problem.random_costs(3, generator=seeded(), dtype=torch.float32)
    result = problem.solve(theta, num_workers=2)
    assert result.decision.dtype == torch.float32
    assert result.decision.shape == theta.shape
    assert bool(problem.is_feasible(result.decision, theta).all())


@pytest.mark.skipif(not DATA.is_dir(), reason="DIFFCOMB_DATA has no jobshop folder")
@pytest.mark.parametrize(("name", "optimum"), [("ft06", 55), ("la01", 666), ("la05", 593), ("ft20", 1165)])
def test_published_optima_are_proven(name, optimum):
    """Literature values."""
    result = JobShop.from_file(DATA / f"{name}.txt", ties="any").solve()
    assert result.is_optimal
    assert float(result.value) == optimum
