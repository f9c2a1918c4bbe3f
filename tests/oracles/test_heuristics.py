"""The plain heuristics: feasible, honest about proving nothing, and as good as they should be."""

import numpy as np
import pytest
import torch

from diffcomb.oracles import oracle_names
from diffcomb.problems import GraphColoring, JobShop, TravelingSalesman
from diffcomb.problems.coloring.cheapest.control import dsatur_tabucol
from diffcomb.problems.tours.heuristics.two_opt import best_nearest_neighbour, greedy_edge_tour, two_opt
from tests.graphs import mycielski
from tests.registry import seeded

CASES = {
    "nearest_neighbor_2opt": lambda: TravelingSalesman(9),
    "dsatur_tabucol": lambda: GraphColoring.random(9, 0.4, 5, generator=seeded(1)),
    "dispatching": lambda: JobShop.random(4, 3, generator=seeded(1)),
    "priority_policy": lambda: JobShop.random(4, 3, "tardiness", generator=seeded(1)),
}


@pytest.mark.parametrize("oracle", CASES)
def test_heuristics_are_feasible_and_claim_nothing(oracle):
    """Value at or above the proven optimum, bound -inf, a status without the word optimal."""
    problem = CASES[oracle]()
    theta = problem.random_costs(5, generator=seeded())
    found, optimum = problem.solve(theta, oracle), problem.solve(theta)
    if isinstance(problem, JobShop):
        assert bool(problem.is_feasible(found.decision, theta).all())
    else:
        assert bool(problem.is_feasible(found.decision).all())
    assert (found.value >= optimum.value - 1e-9).all()
    assert (found.value <= 1.6 * optimum.value + 1e-9).all()
    assert torch.isneginf(found.bound).all()
    assert "optimal" not in str(found.status)
    assert oracle in oracle_names(problem)
    assert oracle not in oracle_names(problem, exact_only=True)


def test_greedy_edge_makes_a_tour_whatever_the_order():
    """Any order of the edges ends in a Hamiltonian cycle."""
    problem, rng = TravelingSalesman(11), np.random.default_rng(0)
    for _ in range(50):
        order = rng.permutation(problem.num_costs)
        tour = greedy_edge_tour(order, problem.tails, problem.heads, 11)
        assert sorted(tour.tolist()) == list(range(11))


def test_two_opt_ends_where_no_exchange_helps():
    """Its length is that of the tour it leaves, and no reversal of a segment shortens it."""
    problem = TravelingSalesman(12)
    cost = problem.matrix_of(problem.random_costs(generator=seeded(2))[0].numpy())
    tour = np.random.default_rng(0).permutation(12).astype(np.int32)
    length = two_opt(cost, tour)

    def measure(order):
        return cost[order, np.roll(order, -1)].sum()

    assert abs(length - measure(tour)) < 1e-12
    for i in range(12):
        for j in range(i + 1, 12):
            other = np.concatenate([tour[:i], tour[i : j + 1][::-1], tour[j + 1 :]])
            assert measure(other) >= length - 1e-9
    assert measure(best_nearest_neighbour(cost, True)) <= measure(best_nearest_neighbour(cost, False))


def test_dsatur_and_tabucol_color_the_mycielski_graph():
    """The Mycielski graph of chromatic number 5 gets a proper colouring with 5 colours."""
    edges, size = mycielski(3)
    graph = GraphColoring(edges, size, size).graph
    colors = dsatur_tabucol(graph, seconds=0.1)
    assert len(graph.conflicts(colors)) == 0
    assert colors.max() + 1 == 5
