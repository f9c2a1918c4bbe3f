"""Tours that must use given edges."""

from itertools import permutations

import numpy as np
import pytest
import torch

from diffcomb.errors import InfeasibleError, InvalidInstanceError
from diffcomb.problems import TravelingSalesman
from tests.registry import seeded


@pytest.mark.parametrize("fixed", [[(0, 3)], [(0, 3), (3, 5)], [(1, 2), (4, 6), (0, 6)]])
@pytest.mark.parametrize("oracle", ["auto", "highs"])
def test_the_best_tour_with_fixed_edges_is_found(fixed, oracle):
    """Of all orders of 7 cities that keep the fixed pairs together, none is cheaper, on costs of any sign."""
    problem = TravelingSalesman(7, fixed_edges=fixed)
    theta = torch.randn(4, problem.num_costs, generator=seeded(1), dtype=torch.float64)
    orders = [np.array([0, *rest]) for rest in permutations(range(1, 7))]
    tours = torch.from_numpy(np.stack([problem.decision_of(order) for order in orders]))
    kept = tours[(tours[:, problem.fixed_edges] == 1).all(1)]
    assert bool(problem.is_feasible(kept).all())
    assert int(problem.is_feasible(tours).sum()) == len(kept)
    result = problem.solve(theta, oracle)
    assert bool(problem.is_feasible(result.decision).all())
    torch.testing.assert_close(result.value, (theta @ kept.T).min(1).values)


@pytest.mark.parametrize("fixed", [[(0, 1), (0, 2), (0, 3)], [(0, 1), (1, 2), (2, 0)]])
def test_fixed_edges_that_no_tour_has_are_infeasible(fixed):
    """Three edges at a city and a closed triangle."""
    problem = TravelingSalesman(6, fixed_edges=fixed)
    with pytest.raises(InfeasibleError):
        problem.solve(problem.random_costs(1, generator=seeded(2)))


def test_a_loop_is_no_fixed_edge():
    """A pair of one city with itself is refused in words."""
    with pytest.raises(InvalidInstanceError, match="two different cities"):
        TravelingSalesman(5, fixed_edges=[(2, 2)])
