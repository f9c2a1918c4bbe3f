"""Tours: where the relaxed decision over degree and subtour rows is the tour, and where it is not."""

from itertools import combinations, permutations

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from diffcomb.layers import DecisionLayer
from diffcomb.problems import TravelingSalesman
from tests.registry import seeded


def prism_costs(problem: TravelingSalesman, spoke: float) -> torch.Tensor:
    """Two triangles 012 and 345 with sides 1, joined by spokes 03, 14, 25; every other edge costs 10.

    Half of each side and all three spokes satisfy every degree and subtour row at cost 3 + 3 spoke; tours
    use two spokes: 4 + 2 spoke. So the relaxation is the tour for spoke > 1 only.
    """
    theta = torch.full((problem.num_costs,), 10.0, dtype=torch.float64)
    for triangle in ((0, 1, 2), (3, 4, 5)):
        for u, v in combinations(triangle, 2):
            theta[problem.edge_index_of(np.array(u), np.array(v))] = 1.0
    for u in range(3):
        theta[problem.edge_index_of(np.array(u), np.array(u + 3))] = spoke
    return theta


def subtour_optimum(problem: TravelingSalesman, theta: torch.Tensor) -> float:
    """The linear program over every subtour row, written out."""
    rows = []
    for size in (2, 3):
        for inside in combinations(range(problem.num_cities), size):
            parts = np.isin(problem.tails, inside) != np.isin(problem.heads, inside)
            rows.append(-parts.astype(float))
    degree = [(problem.tails == v) | (problem.heads == v) for v in range(problem.num_cities)]
    cities = np.full(problem.num_cities, 2.0)
    return linprog(
        theta.numpy(), np.array(rows), np.full(len(rows), -2.0), np.array(degree, float), cities, (0, 1)
    ).fun


@pytest.mark.parametrize("certify", ["exact", "threshold"])
def test_the_certificate_says_where_the_subtour_relaxation_is_the_tour(certify):
    """Certified exactly where the written-out linear program has the value of the best of all orders."""
    problem = TravelingSalesman(6)
    spokes = torch.tensor([0.0, 0.5, 1.5, 2.0] * 3)
    theta = torch.stack([prism_costs(problem, float(s)) for s in spokes])
    theta += 0.02 * torch.rand(theta.shape, generator=seeded(), dtype=torch.float64)
    layer = DecisionLayer(problem, rho=1e-4, certify=certify)
    z = layer(theta)

    orders = [np.array([0, *rest]) for rest in permutations(range(1, 6))]
    tours = torch.from_numpy(np.stack([problem.decision_of(order) for order in orders]))
    best = (theta @ tours.T).min(1).values
    linear = torch.tensor([subtour_optimum(problem, row) for row in theta])
    torch.testing.assert_close((theta * z).sum(-1), best)
    expected = (best - linear).abs() < 1e-6
    assert torch.equal(expected, spokes > 1)
    assert torch.equal(layer.last.certified, expected)
    assert layer.last.certificates == tuple("certified" if yes else "relaxation" for yes in expected)
    # both are proven optimal all the same, and x_rho over the hull of all tours is the tour
    assert {str(status) for status in layer.last.statuses} == {"optimal"}
    assert bool(layer.last.exact.all())


def test_a_fractional_relaxation_is_reported_as_one():
    """On the prism with free spokes x_rho takes half of each side, and the record says relaxation."""
    problem = TravelingSalesman(6)
    theta = prism_costs(problem, 0.0)[None]
    relaxed = DecisionLayer(problem, rho=1e-4, decision="relaxed", certify="exact")
    x = relaxed(theta)[0]
    sides = theta[0] == 1.0
    torch.testing.assert_close(x[sides], torch.full((6,), 0.5, dtype=torch.float64), rtol=0, atol=1e-6)
    torch.testing.assert_close(x[theta[0] == 0.0], torch.ones(3, dtype=torch.float64), rtol=0, atol=1e-6)
    assert relaxed.last.certificates == ("relaxation",)
