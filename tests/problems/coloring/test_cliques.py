"""Cliques found by the compiled searches are those of networkx."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffcomb.problems import Graph
from diffcomb.problems.coloring.cliques import clique_cover, largest_clique, maximal_cliques
from tests.graphs import random_graph


def _networkx(graph: Graph) -> nx.Graph:
    other = nx.empty_graph(graph.num_vertices)
    other.add_edges_from(graph.edges.tolist())
    return other


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 80), st.floats(0, 1), st.integers(0, 1000))
def test_cliques_agree_with_networkx(num_vertices, probability, seed):
    """Clique number and the set of maximal cliques are the same; the cover has maximal ones only."""
    graph = random_graph(num_vertices, min(probability, 0.6), seed)
    every = {frozenset(c) for c in nx.find_cliques(_networkx(graph)) if len(c) >= 2}
    clique, proven = largest_clique(graph)
    assert proven
    assert len(clique) == max(map(len, every), default=1)
    found = maximal_cliques(graph, 100_000)
    rows = [frozenset(found.indices[a:b]) for a, b in zip(found.indptr, found.indptr[1:], strict=False)]
    assert len(rows) == len(every)
    assert set(rows) == every
    cover = clique_cover(graph)
    rows = [frozenset(cover.indices[a:b]) for a, b in zip(cover.indptr, cover.indptr[1:], strict=False)]
    assert set(rows) <= every
    together = (cover.T @ cover).toarray() > 0
    np.fill_diagonal(together, False)
    assert np.array_equal(together, graph.adjacency)


@pytest.mark.parametrize("min_size", [2, 4, 6])
def test_small_cliques_can_be_left_out(min_size):
    """min_size keeps exactly the maximal cliques of that size and more."""
    graph = random_graph(40, 0.5, 0)
    sizes = [len(c) for c in nx.find_cliques(_networkx(graph))]
    kept = maximal_cliques(graph, 10_000, min_size=min_size)
    assert kept.shape[0] == sum(size >= min_size for size in sizes)


def test_too_many_cliques_are_not_listed():
    """None beyond the limit, all of them at the limit."""
    graph = random_graph(40, 0.5, 0)
    count = maximal_cliques(graph, 10_000).shape[0]
    assert maximal_cliques(graph, count - 1) is None
    assert maximal_cliques(graph, count).shape[0] == count
