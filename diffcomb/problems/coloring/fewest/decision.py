"""Is there a proper colouring with K colours? CP-SAT, in two formulations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model
from scipy import sparse

from diffcomb.problems.coloring.cliques import clique_cover, largest_clique, maximal_cliques
from diffcomb.problems.coloring.fewest.stable_set import heaviest_stable_set
from diffcomb.problems.coloring.graph import Graph


@dataclass(frozen=True)
class Decided:
    """colors (N,) when a colouring was found; `impossible` when it is proven that none exists."""

    colors: np.ndarray | None = None
    impossible: bool = False


class AssignmentModel:
    """x[v, k], one colour a vertex, one vertex a colour in each clique of an edge-clique cover.

    A largest clique gets the first colours, which removes most of the colour symmetry; in a clique of
    K vertices every colour occurs.

    Attributes:
        size: literals in the model, before it is built.
    """

    def __init__(self, graph: Graph, num_colors: int) -> None:
        self.graph, self.num_colors = graph, num_colors
        self._cover = clique_cover(graph)
        self.size = self._cover.nnz * num_colors

    def solve(self, seconds: float, wall_seconds: float | None, seed: int) -> Decided:
        """Args: seconds of CP-SAT's own deterministic clock; wall_seconds caps it by the real one."""
        model = cp_model.CpModel()
        num, num_colors = self.graph.num_vertices, self.num_colors
        clique, _ = largest_clique(self.graph)
        if len(clique) > num_colors:
            return Decided(impossible=True)
        x = np.array([model.new_bool_var("") for _ in range(num * num_colors)], dtype=object)
        x = x.reshape(num, num_colors)
        for v in range(num):
            model.add_exactly_one(x[v])
        for c in range(self._cover.shape[0]):
            members = self._cover.indices[self._cover.indptr[c] : self._cover.indptr[c + 1]]
            for k in range(num_colors):
                if len(members) == num_colors:
                    model.add_exactly_one(x[members, k])
                else:
                    model.add_at_most_one(x[members, k])
        for k, v in enumerate(clique):
            model.add(x[v, k] == 1)
        solver = _solver(seconds, wall_seconds, seed)
        status = solver.solve(model)
        if status == cp_model.INFEASIBLE:
            return Decided(impossible=True)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Decided()
        return Decided(np.array([[solver.boolean_value(one) for one in row] for row in x]).argmax(1))


class CoverModel:
    """At most K stable sets that cover every vertex, out of the maximal ones that can take part.

    With a largest stable set of size a, a class of a K-colouring has at least N - (K - 1) a vertices.
    Where K a = N all classes are largest and the cover is a partition, which decides queen graphs; in
    dense graphs stable sets are few anyway.

    Attributes:
        tight: K a = N.
    """

    def __init__(self, sets: sparse.csr_array, num_colors: int, *, tight: bool) -> None:
        self._sets, self.num_colors, self.tight = sets, num_colors, tight
        self.size = int(sets.nnz)

    @staticmethod
    def build(graph: Graph, num_colors: int, limit: int) -> CoverModel | None:
        """None when more than `limit` stable sets can take part, or a is not known quickly."""
        num = graph.num_vertices
        _, size, proven = heaviest_stable_set(
            graph.adjacency, np.ones(num, dtype=np.int64), 200_000, enough=num
        )
        if not proven:
            return None
        min_size = num - (num_colors - 1) * size
        complement = ~graph.adjacency
        np.fill_diagonal(complement, False)
        other = Graph(num, np.argwhere(np.triu(complement)))
        sets = maximal_cliques(other, limit, min_size=max(1, min_size)) if min_size <= size else None
        if min_size > size:
            sets = sparse.csr_array((0, num))  # K classes cannot hold all vertices
        return None if sets is None else CoverModel(sets, num_colors, tight=num_colors * size == num)

    def solve(self, seconds: float, wall_seconds: float | None, seed: int) -> Decided:
        """As `AssignmentModel.solve`."""
        if not (self._sets.sum(0) > 0).all():
            return Decided(impossible=True)  # a vertex is in none of the sets
        model = cp_model.CpModel()
        chosen = np.array([model.new_bool_var("") for _ in range(self._sets.shape[0])], dtype=object)
        by_vertex = sparse.csc_array(self._sets)
        for v in range(self._sets.shape[1]):
            through = chosen[by_vertex.indices[by_vertex.indptr[v] : by_vertex.indptr[v + 1]]]
            if self.tight:
                model.add_exactly_one(through)
            else:
                model.add_bool_or(through)
        model.add(sum(chosen) <= self.num_colors)
        solver = _solver(seconds, wall_seconds, seed)
        solver.parameters.linearization_level = 2
        status = solver.solve(model)
        if status == cp_model.INFEASIBLE:
            return Decided(impossible=True)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Decided()
        colors = np.zeros(self._sets.shape[1], dtype=np.int64)
        picked = [s for s, one in enumerate(chosen) if solver.boolean_value(one)]
        for k, s in enumerate(picked):
            colors[self._sets.indices[self._sets.indptr[s] : self._sets.indptr[s + 1]]] = k
        return Decided(colors)


def _solver(seconds: float, wall_seconds: float | None, seed: int) -> cp_model.CpSolver:
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.max_deterministic_time = seconds
    if wall_seconds is not None:
        solver.parameters.max_time_in_seconds = max(wall_seconds, 1e-3)
    return solver
