"""Cheapest closed walks, facets of their hull, and the local cuts made of them."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diffcomb.oracles.clock import Clock
from diffcomb.problems import TravelingSalesman
from diffcomb.problems.tours.cuts.closed_walks import MOST_NODES, cheapest_walk, uses_of_cheapest
from diffcomb.problems.tours.cuts.cut_pool import CutPool
from diffcomb.problems.tours.cuts.cuts import ShrunkCut
from diffcomb.problems.tours.cuts.groups import merge
from diffcomb.problems.tours.cuts.local_cuts import violated_local_cuts
from diffcomb.problems.tours.cuts.walk_hull import most_violated
from diffcomb.problems.tours.lp_search.large import Known, solve_large
from diffcomb.problems.tours.lp_search.lp_search import Effort
from tests.problems.tours.test_combs import subtour_program
from tests.registry import seeded

NO_EDGE = 1e30
#: two triangles of 1/2 joined by three edges of 1: every comb has 10, this point 9
PRISM = np.array([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (0, 3), (1, 4), (2, 5)])
PRISM_POINT = np.array([0.5] * 6 + [1.0] * 3)


def graph_of(num_nodes: int, seed: int) -> np.ndarray:
    """A cycle and random chords with integer weights from 0 on."""
    rng = np.random.default_rng(seed)
    weight = np.full((num_nodes, num_nodes), NO_EDGE)
    for u, v in itertools.combinations(range(num_nodes), 2):
        if v - u in (1, num_nodes - 1) or rng.random() < 0.4:
            weight[u, v] = weight[v, u] = float(rng.integers(0, 9))
    return weight


def walk_of(weight: np.ndarray) -> tuple[float, np.ndarray]:
    """Cost and edge uses (K, K) of the cheapest closed walk."""
    k = len(weight)
    distance, middle = np.empty((k, k)), np.empty((k, k), dtype=np.int64)
    table, uses = np.empty((1 << (k - 1), MOST_NODES)), np.empty((k, k), dtype=np.int64)
    cost = cheapest_walk(weight, distance, middle, table)
    uses_of_cheapest(distance, middle, table, uses)
    return cost, uses


def components(uses: np.ndarray) -> int:
    """Of the graph of used edges."""
    reach = (uses > 0) | np.eye(len(uses), dtype=bool)
    for _ in range(len(uses)):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    return len({tuple(row) for row in reach})


@settings(deadline=None, max_examples=40)
@given(num_nodes=st.integers(3, 7), seed=st.integers(0, 10**6))
def test_cheapest_walk_is_the_best_order_on_shortest_paths(num_nodes, seed):
    weight = graph_of(num_nodes, seed)
    cost, uses = walk_of(weight)
    distance = weight.copy()
    np.fill_diagonal(distance, 0.0)
    for w in range(num_nodes):
        distance = np.minimum(distance, distance[:, w : w + 1] + distance[w : w + 1])
    orders = itertools.permutations(range(1, num_nodes))
    assert cost == min(sum(distance[a, b] for a, b in zip((0, *o), (*o, 0), strict=True)) for o in orders)
    # the uses are such a walk: they cost the same, enter as often as they leave, and hang together
    own = np.triu(uses) * np.where(uses > 0, weight, 0.0)
    assert own.sum() == cost
    assert (uses.sum(0) % 2 == 0).all()
    assert components(uses) == 1


def test_prism_is_cut_off_by_its_comb():
    """min a'x = 9 / 10, at the comb: 1 within the triangles' borders and the teeth, over 10."""
    price, table = np.empty(20), np.empty((32, MOST_NODES))
    value = most_violated(6, PRISM, PRISM_POINT, 1.0 - 1e-6, table, price)
    assert value == pytest.approx(0.9, abs=1e-9)
    assert (price[:9] >= -1e-12).all()


@pytest.mark.parametrize("seed", range(5))
def test_points_of_the_hull_are_not_cut_off(seed):
    """Convex combinations of walks, and anything above them."""
    rng = np.random.default_rng(seed)
    weight = graph_of(7, seed)
    ends = np.argwhere(np.triu(weight < NO_EDGE, 1))
    walks = []
    for _ in range(6):
        other = np.full((7, 7), NO_EDGE)
        for u, v in ends:
            other[u, v] = other[v, u] = rng.random()
        uses = walk_of(other)[1]
        walks.append([uses[u, v] for u, v in ends])
    x = rng.dirichlet(np.ones(6)) @ np.array(walks) + rng.random(len(ends)) * 0.1 + 1e-3
    enough = 1.0 - 1e-4
    price, table = np.empty(30), np.empty((64, MOST_NODES))
    assert most_violated(7, ends, x, enough, table, price) == enough


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_groups_are_paths_of_full_edges(mode):
    """Path 0-1-2-3 of edges at 1 in a ring: two groups (as 4-5), one, or all that hangs together by 1."""
    tails, heads = np.array([0, 1, 2, 3, 4, 5, 3, 0]), np.array([1, 2, 3, 4, 5, 0, 5, 4])
    x = np.array([1.0, 1.0, 1.0, 0.5, 1.0, 0.5, 0.5, 0.5])
    label, count = merge(6, tails, heads, x, mode)
    assert label[1] == label[2]
    assert count == {0: 4, 1: 2, 2: 1}[mode]


@pytest.mark.parametrize("size", [6, 7, 8])
def test_local_cuts_are_violated_by_the_point_and_by_no_tour(size):
    """Each cut exceeds x; no order of its groups is below the right-hand side, and so no tour."""
    orders = np.array([(*order, size - 1) for order in itertools.permutations(range(size - 1))])
    found = 0
    for seed in range(6):
        problem, program = subtour_program(40, seed)
        edges = (problem.tails, problem.heads, program.x)
        for mode, rule in itertools.product((0, 1, 2), (0, 1, 2)):
            for cut in violated_local_cuts(edges, 40, size, mode, rule):
                row = cut.coefficients(problem.tails, problem.heads)
                assert row @ program.x < cut.rhs * (1 - 4e-4)
                distance = cut.weight.copy()
                for w in range(size):
                    distance = np.minimum(distance, distance[:, w : w + 1] + distance[w : w + 1])
                assert distance[orders, np.roll(orders, -1, axis=1)].sum(1).min() >= cut.rhs
                found += 1
    assert found > 0


def test_pool_returns_what_is_violated_and_absent():
    """Of a comb-like local cut and its twin with a lower right-hand side only the first is violated."""
    group = np.array([0, 1, 2, 3, 4, 5], dtype=np.uint8)
    weight = np.zeros((6, 6))
    for u, v in PRISM:
        weight[u, v] = weight[v, u] = 2.0 if v - u == 3 else 1.0
    cut, slack = ShrunkCut(group, weight, 10.0), ShrunkCut(group, weight + np.eye(6), 3.0)
    pool = CutPool(6)
    pool.add([cut, slack])
    tails, heads = PRISM.T
    assert pool.violated(tails, heads, PRISM_POINT, set(), 0.01) == [cut]
    assert pool.violated(tails, heads, PRISM_POINT, {cut.key}, 0.01) == []


@pytest.mark.parametrize("seed", range(4))
def test_set_branching_proves_the_same_tours(seed):
    """City sets probed at every node of small instances, against the 1-tree search."""
    known = Known(effort=Effort(candidates=8, pivots=40, sets=6, patience=3, sizes=()))
    problem = TravelingSalesman(25)
    noise = np.random.default_rng(seed).normal(size=problem.num_costs)
    cost = problem.random_costs(1, generator=seeded(seed))[0].numpy() * (1 + 0.3 * noise)
    edges = (problem.tails.astype(np.int32), problem.heads.astype(np.int32))
    scaled = cost / np.abs(cost).max()
    outcome = solve_large(25, *edges, scaled, 1e-9, Clock(), 0, known)
    assert outcome.proven
    assert cost[outcome.edges].sum() == pytest.approx(float(problem.solve(cost).value), abs=1e-9)


def test_progress_shows_nodes_with_tour_and_bound(capfd):
    """A map of 90 cities that the root leaves open; watching it changes nothing."""
    problem = TravelingSalesman(90)
    cost = problem.random_costs(1, generator=seeded(5))
    watched = problem.solve(cost, progress=True)
    shown = capfd.readouterr().err
    assert "90 cities" in shown
    assert "bound" in shown
    torch.testing.assert_close(watched.value, problem.solve(cost).value)
