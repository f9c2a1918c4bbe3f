"""Relaxed tours over few columns, the others priced out, against the solver that has all of them."""

import pytest
import torch

from diffcomb.layers import projector_of
from diffcomb.problems import TravelingSalesman
from diffcomb.projection import Route, RoutedProjector, relaxed_decision, route
from diffcomb.projection.column_generation import ColumnProjector
from tests.registry import seeded


def priced_of(problem):
    """Columns priced, whatever the size."""
    return ColumnProjector(problem.polytope(), problem.candidate_columns)


def complete_of(problem):
    """All columns at once."""
    return RoutedProjector(problem.polytope())


@pytest.mark.parametrize("share", [0.01, 0.1, 1.0, 30.0])
@pytest.mark.parametrize("kind", ["distances", "normal"])
def test_priced_and_complete_columns_give_the_same_decision_and_adjoint(share, kind, monkeypatch):
    """x_rho and its adjoint agree to 1e-9 with the solver over all columns, from vertex to centre."""
    monkeypatch.setattr(route, "_SPREAD_OUT", 0.0)  # priced at every rho
    problem = TravelingSalesman(30)
    theta = problem.random_costs(2, generator=seeded(1))
    if kind == "normal":
        theta = torch.randn(theta.shape, generator=seeded(2), dtype=torch.float64)
    rho = share * theta.abs().mean(-1)
    grad = torch.randn(theta.shape, generator=seeded(3), dtype=torch.float64)
    priced, complete = (
        relaxed_decision(solver, theta, rho) for solver in (priced_of(problem), complete_of(problem))
    )
    torch.testing.assert_close(priced.x, complete.x, rtol=0, atol=1e-9)
    torch.testing.assert_close(priced.adjoint(grad), complete.adjoint(grad), rtol=1e-7, atol=1e-9)
    assert float(priced.kkt_residual.max()) <= 1e-8


def test_a_batch_across_both_ways_agrees_with_the_complete_solver():
    """Small and large rho in one batch: each row, residual and adjoint is that of all columns."""
    problem = TravelingSalesman(30)
    theta = problem.random_costs(3, generator=seeded(7))
    rho = torch.tensor([0.05, 1.0, 20.0]) * theta.mean(-1)
    spread = (theta / rho[:, None]).std(-1)
    assert float(spread[0]) > route._SPREAD_OUT > float(spread[1])
    grad = torch.randn(theta.shape, generator=seeded(8), dtype=torch.float64)
    solver = priced_of(problem)
    ours, complete = (relaxed_decision(s, theta, rho) for s in (solver, complete_of(problem)))
    torch.testing.assert_close(ours.x, complete.x, rtol=0, atol=1e-9)
    torch.testing.assert_close(ours.adjoint(grad), complete.adjoint(grad), rtol=1e-7, atol=1e-9)
    assert float(ours.kkt_residual.max()) <= 1e-8


def test_candidates_without_an_interior_are_enlarged(monkeypatch):
    """Started on the edges of one tour, where nothing can move, the answer is still the complete one."""
    problem = TravelingSalesman(12)
    theta = problem.random_costs(1, generator=seeded(4))
    tour = problem.decision_of(torch.randperm(12, generator=seeded(5)).numpy())
    monkeypatch.setattr(problem, "candidate_columns", lambda cost: tour.nonzero()[0])
    rho = 0.1 * theta.mean(-1)
    expected = relaxed_decision(complete_of(problem), theta, rho).x
    priced = relaxed_decision(priced_of(problem), theta, rho).x
    torch.testing.assert_close(priced, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("share", [0.02, 0.1, 1.0])
@pytest.mark.parametrize("num_cities", [50, 100, 200])
def test_adjoint_agrees_with_central_differences(num_cities, share):
    """g'(x(theta + h v) - x(theta - h v)) / 2h is the adjoint's v'J'g to 1e-6 of |g| |Jv|."""
    problem = TravelingSalesman(num_cities)
    theta = problem.random_costs(1, generator=seeded(num_cities))
    rho, solver = share * theta.mean(-1), priced_of(problem)
    v, g = torch.randn((2, *theta.shape), generator=seeded(6), dtype=torch.float64)
    step = 1e-8
    ahead, behind = (relaxed_decision(solver, theta + sign * step * v, rho).x for sign in (1, -1))
    measured = (ahead - behind) / (2 * step)
    expected = relaxed_decision(solver, theta, rho).adjoint(g)
    error = abs(float((g * measured).sum() - (v * expected).sum()))
    assert float(measured.norm()) > 0
    assert error <= 1e-6 * float(g.norm() * measured.norm())


def test_large_tours_are_priced_and_small_ones_are_not():
    """solver="kkt" prices from 100 cities on, where all rows are wanted."""

    large, small = TravelingSalesman(100), TravelingSalesman(8)
    one = torch.zeros(1, 4950, dtype=torch.float64)
    assert projector_of(large).route(one) == Route.COLUMNS
    assert projector_of(small).route(one[:, :28]) == Route.COMPILED
    assert projector_of(small, backward="cg").route(one[:, :28]) == Route.COMPILED
