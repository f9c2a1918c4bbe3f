"""Graph colouring as a problem: feasibility, relaxation, refusals and symmetry."""

import itertools
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from diffcomb import DecisionLayer, FenchelYoungLoss, exactness_threshold, optimal_value
from diffcomb.errors import ColorSymmetryWarning, InfeasibleError, InvalidInstanceError
from diffcomb.problems import GraphColoring
from diffcomb.problems.coloring.cheapest.root import integral_optimum
from tests.graphs import mycielski, queen_edges
from tests.registry import seeded

CYCLE = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)]
#: one with chords, an odd cycle, a triangle with a tail
SMALL = {
    "wheel": ([*CYCLE, (0, 5), (1, 5), (2, 5), (3, 5), (4, 5)], 6, 4),
    "cycle": (CYCLE, 5, 3),
    "kite": ([(0, 1), (1, 2), (0, 2), (2, 3)], 5, 3),
}


def _members(problem: GraphColoring) -> torch.Tensor:
    """Every proper colouring, by trying all K^N."""
    tables = np.array(list(itertools.product(range(problem.num_colors), repeat=problem.num_vertices)))
    proper = (tables[:, problem.edges[:, 0]] != tables[:, problem.edges[:, 1]]).all(1)
    return torch.from_numpy(np.stack([problem.decision_of(c) for c in tables[proper]]))


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("oracle", ["auto", "highs"])
def test_cheapest_colouring_is_the_brute_force_one(name, oracle):
    """Value, bound, proof and decision agree with trying every colouring."""
    problem = GraphColoring(*SMALL[name])
    members = _members(problem)
    theta = problem.random_costs(4, generator=seeded())
    result = problem.solve(theta, oracle)
    values = theta @ members.T
    assert str(result.status) == "optimal"
    assert bool(problem.is_feasible(members).all())
    torch.testing.assert_close(result.value, values.min(1).values)
    assert torch.equal(result.decision, members[values.argmin(1)])


def test_root_program_answers_only_where_it_is_integral():
    """Its colouring is the brute-force optimum; on an odd cycle it gives up on some costs."""
    problem = GraphColoring(*SMALL["cycle"])
    members = _members(problem)
    answered = 0
    for theta in problem.random_costs(40, generator=seeded()):
        colors = integral_optimum(problem, theta.numpy().reshape(5, 3))
        if colors is not None:
            answered += 1
            value = float(theta @ torch.from_numpy(problem.decision_of(colors)))
            assert value == pytest.approx(float((members @ theta).min()), abs=1e-9)
    assert 0 < answered < 40


@pytest.mark.parametrize("name", SMALL)
def test_threshold_is_the_brute_force_one(name):
    """rho_bar = min over colourings of 2 theta'(z - z*) / H(z, z*)."""
    problem = GraphColoring(*SMALL[name])
    members = _members(problem)
    theta = problem.random_costs(3, generator=seeded(1))
    for cost, rho_bar in zip(theta, exactness_threshold(problem, theta), strict=True):
        values = members @ cost
        best = members[values.argmin()]
        distance = (members - best).abs().sum(1)
        other = distance > 0
        expected = (2 * (values - values.min())[other] / distance[other]).min()
        torch.testing.assert_close(rho_bar, expected, rtol=1e-6, atol=1e-9)


def test_value_gradient_is_the_optimal_colouring():
    """dV/dtheta equals central differences of the optimal value."""
    problem = GraphColoring(*SMALL["cycle"])
    theta = problem.random_costs(1, generator=seeded())[0]
    theta.requires_grad_()
    (gradient,) = torch.autograd.grad(optimal_value(problem, theta), theta)
    h, identity = 1e-6, torch.eye(problem.num_costs, dtype=torch.float64)
    differences = torch.stack(
        [
            (problem.solve(theta.detach() + h * e).value - problem.solve(theta.detach() - h * e).value)
            / (2 * h)
            for e in identity
        ]
    )
    torch.testing.assert_close(gradient, differences, rtol=0, atol=1e-6)


def test_fenchel_young_gradient_is_a_difference_of_decisions():
    """d loss / d theta = z_true - x_rho, and it matches central differences of the loss."""
    problem = GraphColoring(*SMALL["kite"])
    theta = problem.random_costs(1, generator=seeded())
    target = problem.solve(problem.random_costs(1, generator=seeded(5))).decision
    layer = DecisionLayer(problem, solver="piqp", rho=1.0)
    loss = FenchelYoungLoss(layer)
    theta.requires_grad_()
    (gradient,) = torch.autograd.grad(loss(theta, target), theta)
    x, _ = layer.relax(theta.detach())
    torch.testing.assert_close(gradient, target - x, rtol=0, atol=1e-7)
    h = 1e-5
    for i in range(problem.num_costs):
        step = torch.zeros_like(theta)
        step[0, i] = h
        change = loss(theta.detach() + step, target) - loss(theta.detach() - step, target)
        torch.testing.assert_close(gradient[0, i], change / (2 * h), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("edges", "num_vertices", "num_colors", "integral"),
    [
        ([(0, 1), (1, 2), (2, 3), (2, 4)], 5, 3, True),
        ([(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (2, 4)], 5, 3, True),
        ([(0, 1), (1, 2), (2, 3), (3, 0)], 4, 2, True),
        (CYCLE, 5, 3, False),
        (*mycielski(2)[:1], 11, 4, False),
    ],
)
def test_integral_says_whether_linear_programs_find_colourings(edges, num_vertices, num_colors, integral):
    """On an integral relaxation every random linear program ends in a colouring; on others not all do."""
    problem = GraphColoring(edges, num_vertices, num_colors)
    polytope = problem.polytope()
    assert polytope.integral == integral
    fractional = 0
    for cost in problem.random_costs(40, generator=seeded()).numpy():
        x = linprog(cost, polytope.G, polytope.h, polytope.A, polytope.b, (0, 1)).x
        fractional += bool((np.minimum(x, 1 - x) > 1e-6).any())
    assert (fractional == 0) == integral


def test_lazy_and_known_rows_describe_the_same_relaxation(monkeypatch):
    """Starting without clique rows and separating them gives the value of all maximal cliques."""
    edges = queen_edges(5, 5)
    known = GraphColoring(edges, 25, 6)
    monkeypatch.setattr("diffcomb.problems.coloring.clique_rows._INITIAL_ROWS", 0)
    lazy = GraphColoring(edges, 25, 6)
    assert len(lazy.clique_rows.initial) == 0
    every = known.clique_rows.rows_of(known.clique_rows.family)
    for cost in known.random_costs(3, generator=seeded()).numpy():
        expected = linprog(cost, every.G, every.h, known.polytope().A, np.ones(25), (0, 1)).fun
        polytope = lazy.polytope()
        while True:
            G = polytope.G if len(polytope.h) else None
            answer = linprog(cost, G, polytope.h if G is not None else None, polytope.A, polytope.b, (0, 1))
            rows = polytope.separate(answer.x)
            if not len(rows):
                break
            polytope = polytope.with_rows(rows)
        assert answer.fun == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([(0, 0)], 2, 2), "Edge 0 is a self-loop at vertex 0"),
        (([(0, 1), (1, 2)], 2, 2), r"Edge 1 \[1, 2\] leaves the vertices 0..1"),
        (([(0, 1)], 2, 0), "num_colors must be at least 1"),
        (([(0.5, 1.0)], 2, 2), "whole numbers"),
        (([], 0, 2), "num_vertices must be at least 1"),
        (([(0, 1), (1, 2), (0, 2)], 4, 2), r"below the clique number: vertices \[0, 1, 2\]"),
        ((queen_edges(5, 5), 25, 4), "below the clique number.*need 5 colours"),
    ],
)
def test_broken_instances_are_refused(arguments, message):
    """Self-loops, stray end points and too few colours are refused in one sentence."""
    with pytest.raises(InvalidInstanceError, match=message):
        GraphColoring(*arguments)


def test_too_few_colours_without_a_clique_are_infeasible():
    """An odd cycle has no 2-colouring and no triangle: the oracle proves it."""
    problem = GraphColoring(CYCLE, 5, 2)
    theta = problem.random_costs(generator=seeded())
    with pytest.raises(InfeasibleError):
        problem.solve(theta)


def test_repeated_edges_and_orientations_are_merged():
    """An edge index with both directions is the same graph."""
    edges = torch.tensor(CYCLE)
    both = torch.cat([edges, edges.flip(1), edges[:2]]).T
    assert GraphColoring(both, 5, 3).edges.tolist() == sorted(sorted(e) for e in CYCLE)


def test_interchangeable_colours_warn_only_when_a_gradient_is_asked_for():
    """Equal columns of theta with requires_grad warn; without it, or with distinct columns, not."""
    problem = GraphColoring(*SMALL["kite"])
    theta = problem.random_costs(1, generator=seeded()).reshape(1, 5, 3)
    theta[..., 2] = theta[..., 0]
    theta = theta.reshape(1, -1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problem.solve(theta)
        optimal_value(problem, problem.random_costs(1, generator=seeded()).requires_grad_())
    with pytest.warns(ColorSymmetryWarning, match="means nothing"):
        optimal_value(problem, theta.requires_grad_())


def test_random_graphs_repeat_with_their_generator():
    """Same generator, same edges; K is enough for a colouring."""
    first, second = (GraphColoring.random(30, 0.3, generator=seeded(3)) for _ in range(2))
    assert np.array_equal(first.edges, second.edges)
    assert first.num_colors == second.num_colors
    assert first.solve(first.random_costs(generator=seeded())).is_optimal


def test_a_time_limit_returns_a_colouring_with_a_bound():
    """Too hard for the limit: a proper colouring, bound <= value, not called optimal."""
    problem = GraphColoring(queen_edges(8, 8), 64, 11)
    result = problem.solve(problem.random_costs(1, generator=seeded()), time_limit=0.5)
    assert bool(problem.is_feasible(result.decision).all())
    assert bool((result.bound <= result.value).all())
    assert "optimal" not in str(result.status)


@pytest.mark.skipif("DIFFCOMB_DATA" not in os.environ, reason="needs the DIMACS files")
@pytest.mark.parametrize("name", ["huck", "jean", "miles250", "queen5_5", "myciel5"])
def test_dimacs_graphs_are_coloured_at_least_cost_and_highs_agrees(name):
    """CP-SAT proves the optimum on published graphs; HiGHS finds the same value on the small ones."""
    problem = GraphColoring.from_dimacs(Path(os.environ["DIFFCOMB_DATA"]) / "coloring" / f"{name}.col")
    theta = problem.random_costs(1, generator=seeded())[0]
    result = problem.solve(theta)
    assert str(result.status) == "optimal"
    assert bool(problem.is_feasible(result.decision))
    if name in ("huck", "queen5_5"):
        torch.testing.assert_close(problem.solve(theta, "highs").value, result.value)
