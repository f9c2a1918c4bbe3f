"""solver="auto" and what "vertices" saves when z* is known."""

import numpy as np
import pytest
import torch

from diffcomb.errors import UnsupportedError
from diffcomb.layers import DecisionLayer, exactness_threshold, projector_of
from diffcomb.oracles import OracleAnswer
from diffcomb.problems import Assignment, CostGraph, Problem, ShortestPath, TravelingSalesman
from diffcomb.program import Program
from diffcomb.projection import Route
from tests.registry import seeded


class Sorting:
    name = "top_k"

    def supports(self, problem):
        return isinstance(problem, TopK)

    def solve(self, problem, costs, limits):
        decisions = np.zeros_like(costs)
        np.put_along_axis(decisions, np.argsort(costs, axis=1)[:, : problem.k], 1.0, axis=1)
        return OracleAnswer.proven(decisions, costs)


class TopK(Problem):
    """k of n items, known by sorting alone."""

    oracles = (Sorting(),)
    default_oracle = "top_k"

    def __init__(self, n: int, k: int) -> None:
        self.num_costs, self.k = n, k

    def is_feasible(self, z):
        return ((z - z.round()).abs() <= 1e-6).all(-1) & (z.sum(-1).round() == self.k)

    def polytope(self) -> Program:
        raise UnsupportedError("TopK has no rows.")

    def random_costs(self, batch=1, *, generator=None, dtype=torch.float64):
        return torch.rand(batch, self.num_costs, generator=generator, dtype=dtype)

    def cost_graph(self) -> CostGraph:
        items = torch.arange(self.num_costs)
        return CostGraph(torch.stack([items, items]), self.num_costs)


def test_a_problem_without_rows_is_solved_through_its_oracle():
    """Layer, gradient and threshold of a problem that has an oracle and nothing else."""
    problem = TopK(8, 3)
    theta = problem.random_costs(4, generator=seeded()).requires_grad_()
    layer = DecisionLayer(problem, solver="auto", rho=0.5, decision="relaxed")
    x = layer(theta)
    torch.testing.assert_close(x.detach().sum(-1), torch.full((4,), 3.0, dtype=torch.float64))
    assert torch.autograd.gradcheck(layer, (theta,), eps=1e-6, atol=1e-5)
    # k of n: exchanging the k-th for the next changes two coordinates
    ordered = theta.detach().sort(-1).values
    torch.testing.assert_close(exactness_threshold(problem, theta), ordered[:, 3] - ordered[:, 2])
    assert DecisionLayer(problem, decision="relaxed")(theta).shape == theta.shape
    assert projector_of(problem).route(theta) == Route.VERTICES
    with pytest.raises(UnsupportedError, match="rows"):
        projector_of(problem, "piqp")


def test_the_rule():
    """vertices at tiny rho on a large integral polytope; else kkt."""
    tiny, large = torch.tensor([1e-4, 1e-4]).double(), torch.tensor([1e-4, 0.1]).double()
    theta = torch.ones(2, 264).double()
    tiny, large = (0.5 - theta / rho[:, None] for rho in (tiny, large))
    grid = projector_of(ShortestPath.grid(12, 12), "auto")
    assert grid.route(tiny) == Route.VERTICES
    assert grid.route(large) == Route.COMPILED
    assert projector_of(Assignment(4), "auto").route(tiny[:, :16]) == Route.COMPILED
    tour = TravelingSalesman(21)
    for lazy_rows in (True, False):
        assert projector_of(tour, "auto", lazy_rows=lazy_rows).route(tiny[:, :210]) == Route.COMPILED


def test_both_choices_give_the_same_answer():
    """x_rho and adjoint of a 12x12 grid at 0.001 mean|theta|: auto (vertices) equals kkt."""
    problem = ShortestPath.grid(12, 12)
    theta = problem.random_costs(16, generator=seeded(1))
    rho = 1e-3 * theta.abs().mean(-1)
    auto, kkt = (projector_of(problem, name).relax(theta, rho) for name in ("auto", "kkt"))
    torch.testing.assert_close(auto.x, kkt.x, rtol=0, atol=1e-9)
    torch.testing.assert_close(auto.adjoint(theta), kkt.adjoint(theta), rtol=1e-7, atol=1e-7)
    assert bool((auto.iterations <= 3).all())


def test_the_exact_decision_is_where_the_vertices_start():
    """In the layer z* comes first: below rho_bar one oracle call is left, above it one less than cold."""
    problem = Assignment(6)
    theta = problem.random_costs(5, generator=seeded(2))
    rho_bar = exactness_threshold(problem, theta)
    for factor, calls in ((0.9, 1), (3.0, None)):
        layer = DecisionLayer(problem, solver="vertices", rho=factor * rho_bar)
        layer(theta.clone().requires_grad_())
        cold = projector_of(problem, "vertices").relax(theta, factor * rho_bar)
        assert torch.equal(layer.last.iterations, cold.iterations - 1)
        assert torch.equal(layer.last.face_dimension, cold.face_dimension)
        if calls is not None:
            assert layer.last.iterations.tolist() == [calls] * 5
