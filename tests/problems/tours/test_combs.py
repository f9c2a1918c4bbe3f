"""Comb separation cuts off fractional points and no tour."""

import numpy as np
import pytest
import torch

from diffcomb.oracles.clock import Clock
from diffcomb.problems import TravelingSalesman
from diffcomb.problems.tours.cuts.combs import violated_combs
from diffcomb.problems.tours.lp_search.cutting_planes import separate_subtours
from diffcomb.problems.tours.lp_search.large import Known, solve_large
from diffcomb.problems.tours.lp_search.linear_program import TourProgram
from tests.registry import seeded


def subtour_program(num_cities: int, seed: int) -> tuple[TravelingSalesman, TourProgram]:
    """The subtour linear program of random points, solved over the complete graph."""
    problem = TravelingSalesman(num_cities)
    cost = problem.random_costs(1, generator=seeded(seed))[0].numpy()
    program = TourProgram(num_cities, problem.tails, problem.heads, cost, np.arange(problem.num_costs))
    program.solve()
    while program.add_cuts(separate_subtours(program)):
        program.solve()
    return problem, program


@pytest.mark.parametrize("seed", range(6))
def test_combs_are_violated_by_the_point_and_by_no_tour(seed):
    """Each comb exceeds x by what it must; random and optimal tours satisfy all of them."""
    problem, program = subtour_program(40, seed)
    on = program.x > 1e-9
    tails, heads, x = problem.tails[on], problem.heads[on], program.x[on]
    tight = np.array([cut.sets[0] for cut in program.cuts], dtype=bool).reshape(-1, 40)
    cuts = violated_combs(40, tails, heads, x, tight)
    rng = np.random.default_rng(seed)
    tours = [problem.decision_of(rng.permutation(40)) for _ in range(50)]
    cost = problem.random_costs(1, generator=seeded(seed))[0]
    tours.append(problem.solve(cost, "highs").decision.numpy())
    for cut in cuts:
        row = cut.coefficients(problem.tails, problem.heads)
        assert row @ program.x < cut.rhs - 0.02 + 1e-9
        assert all(row @ tour >= cut.rhs - 1e-9 for tour in tours)


def test_some_points_have_combs():
    """Fractional subtour optima of random points usually violate one."""
    found = 0
    for seed in range(6):
        problem, program = subtour_program(40, seed)
        on = program.x > 1e-9
        tight = np.zeros((0, 40), dtype=bool)
        found += len(violated_combs(40, problem.tails[on], problem.heads[on], program.x[on], tight))
    assert found > 0


@pytest.mark.parametrize("seed", range(3))
def test_linear_programs_and_one_trees_find_the_same_tour(seed):
    """Two proofs that share only the local search agree, on real-valued and negative costs."""
    problem = TravelingSalesman(30)
    cost = torch.randn(problem.num_costs, generator=seeded(seed), dtype=torch.float64)
    edges = (problem.tails.astype(np.int32), problem.heads.astype(np.int32))
    scaled = (cost / cost.abs().max()).numpy()
    outcome = solve_large(30, *edges, scaled, 1e-9, Clock(), 0, Known())
    assert outcome.proven
    z = np.zeros(problem.num_costs)
    z[outcome.edges] = 1.0
    assert np.array_equal(z, problem.solve(cost).decision.numpy())
