"""The fewest colours: known chromatic numbers, brute force, and proofs that an independent solver repeats."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from diffcomb.problems import Graph, GraphColoring
from diffcomb.problems.coloring.cliques import maximal_cliques
from diffcomb.problems.coloring.dsatur import dsatur
from diffcomb.problems.coloring.fewest.decision import AssignmentModel, CoverModel
from diffcomb.problems.coloring.fewest.evolution import ColoringEvolution
from diffcomb.problems.coloring.fewest.fractional import fractional_bound
from diffcomb.problems.coloring.fewest.partialcol import PartialCol
from diffcomb.problems.coloring.fewest.planted import find_planted, planted_number
from diffcomb.problems.coloring.fewest.reduction import reduce_graph
from diffcomb.problems.coloring.fewest.stable_set import heaviest_stable_set
from diffcomb.problems.coloring.fewest.tabucol import TabuCol
from tests.graphs import chromatic_number, is_colorable, mycielski, queen_edges, random_graph

KNOWN = {
    "queen5": ((queen_edges(5, 5), 25), 5),
    "queen6": ((queen_edges(6, 6), 36), 7),
    "queen7": ((queen_edges(7, 7), 49), 7),
    "queen8": ((queen_edges(8, 8), 64), 9),
    "mycielski3": (mycielski(2), 4),
    "mycielski4": (mycielski(3), 5),
    "petersen": (
        ([(i, (i + 1) % 5) for i in range(5)] + [(i, i + 5) for i in range(5)]
         + [(i + 5, (i + 2) % 5 + 5) for i in range(5)], 10),
        3,
    ),
    "no edges": (([], 4), 1),
    "complete": (([(u, v) for v in range(7) for u in range(v)], 7), 7),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_known_chromatic_numbers_are_proven(name):
    """Value = bound = the textbook number, with a colouring that uses it."""
    (edges, num_vertices), chi = KNOWN[name]
    problem = GraphColoring(edges, num_vertices, num_vertices)
    result = problem.chromatic_number()
    assert str(result.status) == "optimal"
    assert (float(result.value), float(result.bound)) == (chi, chi)
    assert bool(problem.is_feasible(result.decision))
    assert len(problem.colors(result.decision).unique()) == chi


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 13), st.floats(0, 1), st.integers(0, 1000))
def test_random_graphs_agree_with_backtracking(num_vertices, probability, seed):
    """The proven chromatic number is that of plain backtracking; more colours never hurt a decision."""
    graph = random_graph(num_vertices, probability, seed)
    problem = GraphColoring(graph.edges, num_vertices, num_vertices)
    assert int(problem.chromatic_number().value) == chromatic_number(graph)


def test_fewer_colours_than_given_and_more_than_given():
    """The decision has N max(K, value) entries, a member of Z when value <= K."""
    edges, size = mycielski(2)
    roomy, tight = GraphColoring(edges, size, 6), GraphColoring(edges, size, 3)
    assert roomy.chromatic_number().decision.shape == (size * 6,)
    assert tight.chromatic_number().decision.shape == (size * 4,)


def test_a_time_limit_returns_an_interval():
    """Too hard for the limit: bound < value, not called optimal, the colouring proper."""
    edges, size = mycielski(5)
    problem = GraphColoring(edges, size, 8)
    result = problem.chromatic_number(time_limit=1.0)
    assert float(result.bound) < float(result.value)
    assert "optimal" not in str(result.status)
    assert bool(problem.is_feasible(result.decision))


def _milp_colorable(graph: Graph, num_colors: int) -> bool:
    """HiGHS on x[v, k] <= y-free edge rows, through scipy: independent of CP-SAT and of cliques."""
    num = graph.num_vertices
    one = sparse.kron(sparse.eye_array(num), np.ones((1, num_colors)))
    ends = sparse.csr_array(
        (np.ones(2 * len(graph.edges)), (np.repeat(np.arange(len(graph.edges)), 2), graph.edges.ravel())),
        shape=(len(graph.edges), num),
    )
    apart = sparse.kron(ends, sparse.eye_array(num_colors))
    n = num * num_colors
    answer = milp(
        np.zeros(n),
        integrality=np.ones(n),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(one, 1, 1), LinearConstraint(apart, -np.inf, 1)],
    )
    return bool(answer.status == 0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("probability", [0.3, 0.6, 0.85])
def test_both_models_decide_as_highs_does(seed, probability):
    """At chi both CP-SAT models find a colouring, at chi - 1 both prove there is none; HiGHS agrees."""
    graph = random_graph(14, probability, seed)
    chi = chromatic_number(graph)
    for num_colors in (chi, chi - 1):
        if num_colors == 0 or len(graph.edges) == 0:
            continue
        possible = _milp_colorable(graph, num_colors)
        assert possible == (num_colors == chi)
        cover = CoverModel.build(graph, num_colors, 10_000)
        assert cover is not None
        for model in (AssignmentModel(graph, num_colors), cover):
            decided = model.solve(10.0, None, 0)
            assert decided.impossible == (not possible)
            if possible:
                assert len(graph.conflicts(decided.colors)) == 0
                assert decided.colors.max() < num_colors


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.floats(0, 0.7), st.integers(1, 6), st.integers(0, 1000))
def test_reduction_keeps_colourability_and_extends_colourings(num_vertices, probability, num_colors, seed):
    """A colouring of the kernel extends to the whole graph with no new colour beyond K."""
    graph = random_graph(num_vertices, probability, seed)
    reduced = reduce_graph(graph, num_colors)
    colors = dsatur(reduced.graph)
    whole = reduced.extend(colors)
    assert len(graph.conflicts(whole)) == 0
    assert whole.max() + 1 <= max(num_colors, colors.max(initial=-1) + 1)
    if num_vertices <= 12:
        assert is_colorable(graph, num_colors) == is_colorable(reduced.graph, num_colors)


@pytest.mark.parametrize("seed", range(6))
def test_heaviest_stable_set_is_the_brute_force_one(seed):
    """Branch and bound finds the heaviest maximal stable set of the complement's clique list."""
    graph = random_graph(25, 0.3 + 0.1 * (seed % 3), seed)
    weights = np.random.default_rng(seed).integers(0, 100, 25)
    members, weight, proven = heaviest_stable_set(graph.adjacency, weights, 10**6, enough=10**9)
    complement = ~graph.adjacency & ~np.eye(25, dtype=bool)
    every = maximal_cliques(Graph(25, np.argwhere(np.triu(complement))), 10**5, min_size=1)
    assert proven
    assert weight == weights[members].sum() == (every @ weights).max()
    assert not graph.adjacency[np.ix_(members, members)].any()


@pytest.mark.parametrize(
    ("edges", "num_vertices", "bound"),
    [
        ([(i, (i + 1) % 5) for i in range(5)], 5, 3),  # chi_f = 5/2
        (*mycielski(2), 3),  # chi_f = 29/10, chi = 4
        (queen_edges(5, 5), 25, 5),
    ],
)
def test_fractional_bound_is_the_rounded_fractional_chromatic_number(edges, num_vertices, bound):
    """Column generation ends at ceil(chi_f), known in closed form here."""
    graph = GraphColoring(edges, num_vertices, num_vertices).graph
    assert fractional_bound(graph, dsatur(graph), stop_at=num_vertices) == bound


def _planted_graph(num_vertices: int, num_classes: int, probability: float) -> Graph:
    rng = np.random.default_rng(0)
    planted = rng.integers(num_classes, size=num_vertices)
    tails, heads = np.triu_indices(num_vertices, k=1)
    drawn = (rng.random(len(tails)) < probability) & (planted[tails] != planted[heads])
    return Graph(num_vertices, np.stack([tails[drawn], heads[drawn]], axis=1))


def test_tabu_searches_and_evolution_repeat_and_find_planted_colourings():
    """A planted 6-colouring that DSATUR misses is found, the same one for the same seed."""
    graph = _planted_graph(120, 6, 0.35)
    assert dsatur(graph).max() + 1 > 6
    start = np.random.default_rng(1).integers(6, size=120)
    runs = [TabuCol(graph, 6, seed=1).run(start, 5.0, None) for _ in range(2)]
    assert runs[0][1] == 0
    assert np.array_equal(runs[0][0], runs[1][0])
    found = [runs[0][0], ColoringEvolution(graph, 6, [start], seed=1, steps=3000).run(5.0, None)]
    for reactive in (False, True):
        searches = [PartialCol(graph, 6, seed=1, reactive=reactive) for _ in range(2)]
        first, second = (search.run(np.full(120, -1), 5.0, None) for search in searches)
        assert first[1] == 0
        assert np.array_equal(first[0], second[0])
        found.append(first[0])
    for colors in found:
        assert colors is not None
        assert len(graph.conflicts(colors)) == 0
        assert 0 <= colors.min() <= colors.max() < 6


def test_a_partial_colouring_stays_proper_when_the_search_is_cut_short():
    """With too few colours the classes are stable sets, and the count is that of the uncoloured."""
    graph = random_graph(80, 0.5, 0)
    colors, uncolored = PartialCol(graph, 8, 0, reactive=True).run(np.full(80, -1), 0.01, None)
    assert uncolored == (colors < 0).sum() > 0
    ends = colors[graph.edges]
    assert not ((ends[:, 0] == ends[:, 1]) & (ends[:, 0] >= 0)).any()


def test_large_planted_classes_are_noticed_and_found():
    """Classes of about 20 among 700 vertices, where other stable sets have 14."""
    graph = _planted_graph(700, 35, 0.5)
    guess = planted_number(graph)
    assert 20 <= guess <= 35
    colors = find_planted(graph, 35, seed=0, seconds=8.0, deadline=None)
    assert len(graph.conflicts(colors)) == 0
    assert colors.max() + 1 < dsatur(graph, repeats=1).max() + 1


def test_enough_colours_end_the_search():
    """With a target above the chromatic number the answer is a colouring within it, perhaps unproven."""
    edges = queen_edges(9, 9)
    result = GraphColoring(edges, 81, 12).chromatic_number(enough=12)
    assert int(result.bound) <= int(result.value) <= 12


@pytest.mark.skipif("DIFFCOMB_DATA" not in os.environ, reason="needs the DIMACS files")
@pytest.mark.parametrize(
    ("name", "chi"),
    [("huck", 11), ("homer", 13), ("miles1000", 42), ("le450_5a", 5), ("le450_25a", 25), ("r125.5", 36)],
)
def test_published_chromatic_numbers_are_proven(name, chi):
    """Graphs of the DIMACS challenge with known answers."""
    folder = Path(os.environ["DIFFCOMB_DATA"]) / "coloring"
    result = GraphColoring.from_dimacs(folder / f"{name}.col").chromatic_number(60)
    assert str(result.status) == "optimal"
    assert int(result.value) == chi
