"""Clique rows x(C, k) <= 1 of a colouring polytope, known from the start or separated on demand."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from diffcomb.problems.coloring.cliques import clique_cover, maximal_cliques
from diffcomb.problems.coloring.dsatur import dsatur
from diffcomb.problems.coloring.graph import Graph
from diffcomb.program import Rows

#: above so many rows of the cover, solvers start without any and separation brings what is violated
_INITIAL_ROWS = 5_000
#: well above the residual at which convex solvers stop, so no row is asked for twice
_TOLERANCE = 1e-7
#: rows through a variable that are separated at once
_OVERLAP = 2


class CliqueRows:
    """Rows sum over v in C of x[v, k] <= 1, for each clique C of a fixed family and each colour k.

    The family is *all* maximal cliques if there are at most `max_cliques` of them, else a greedy
    cover of the edges by maximal cliques. It never depends on x, so the relaxed decision is a
    function of the costs alone. Separation is exact over the family.

    Attributes:
        cover: (cliques, N) 0-1, maximal cliques covering every edge: enough for 0-1 points.
        family: (cliques, N) 0-1, all cliques of the relaxation.
        complete: whether `family` is all maximal cliques.
        initial: the cover's rows, or none if they are too many.
        integral: whether the rows, with one colour a vertex, describe conv(Z).
    """

    def __init__(self, graph: Graph, num_colors: int, max_cliques: int) -> None:
        self.num_vertices, self.num_colors = graph.num_vertices, num_colors
        self.cover = clique_cover(graph)
        every = maximal_cliques(graph, max_cliques)
        self.complete = every is not None
        self.family = self.cover if every is None else every
        few = self.cover.shape[0] * num_colors <= _INITIAL_ROWS
        self.initial = self.rows_of(self.cover) if few else Rows.empty(graph.num_vertices * num_colors)
        self.is_lazy = not few or self.family.shape[0] > self.cover.shape[0]
        # DSATUR is exact on bipartite graphs
        bipartite = num_colors == 2 and int(dsatur(graph, repeats=1).max()) <= 1
        self.integral = bipartite or self._is_block_graph()
        self._by_vertex = sparse.csc_array(self.family)

    def every_row(self) -> Rows:
        """The rows of the whole family."""
        return self.rows_of(self.family)

    def rows_of(self, cliques: sparse.csr_array) -> Rows:
        """One row per clique and colour, colours fastest."""
        G = sparse.csr_array(sparse.kron(cliques, sparse.eye_array(self.num_colors), format="csr"))
        return Rows(G, np.ones(G.shape[0]))

    def separate(self, x: np.ndarray) -> Rows:
        """Violated rows of the family, the most violated first, up to `_OVERLAP` through a variable.

        Not all at once: many are satisfied once others hold, and solvers pay for each row they carry.
        """
        table = x.reshape(self.num_vertices, self.num_colors)
        excess = self.family @ table - 1.0
        cliques, vertex_starts = self._by_vertex.indices, self._by_vertex.indptr
        lengths = np.diff(vertex_starts)
        covered = np.flatnonzero(lengths)
        chosen_cliques, chosen_colors = [], []
        for k in np.flatnonzero((excess > _TOLERANCE).any(0)):
            values = excess[cliques, k]
            worst = np.maximum.reduceat(values, vertex_starts[covered])
            is_worst = values == np.repeat(worst, lengths[covered])
            picked = np.unique(cliques[is_worst & (values > _TOLERANCE)])
            chosen_cliques.append(picked)
            chosen_colors.append(np.full(len(picked), k))
        if not chosen_cliques:
            return Rows.empty(self.num_vertices * self.num_colors)
        rows, of_color = np.concatenate(chosen_cliques), np.concatenate(chosen_colors)
        falling = np.argsort(-excess[rows, of_color], kind="stable")
        apart = self._apart(rows[falling], of_color[falling])
        members = self.family[rows[falling][apart]]
        colors = np.repeat(of_color[falling][apart], np.diff(members.indptr))
        columns = members.indices * self.num_colors + colors
        shape = (members.shape[0], self.num_vertices * self.num_colors)
        return Rows(sparse.csr_array((members.data, columns, members.indptr), shape=shape), np.ones(shape[0]))

    def _apart(self, cliques: np.ndarray, colors: np.ndarray) -> np.ndarray:
        """Places of rows (clique, colour) that have no variable in common with `_OVERLAP` taken before."""
        starts, indices = self.family.indptr, self.family.indices
        taken = np.zeros((self.num_colors, self.num_vertices), dtype=np.int64)
        apart = []
        for place, (clique, color) in enumerate(zip(cliques, colors, strict=True)):
            members = indices[starts[clique] : starts[clique + 1]]
            if taken[color, members].max() < _OVERLAP:
                taken[color, members] += 1
                apart.append(place)
        return np.array(apart, dtype=np.int64)

    def _is_block_graph(self) -> bool:
        """Every block of the graph is a clique: the vertex-clique incidence graph is a forest.

        Gluing two integral colouring polytopes along the colours of one vertex keeps them integral:
        a point of that simplex is a convex combination of its vertices in one way only.
        """
        num_cliques = self.cover.shape[0]
        incidence = sparse.block_array([[None, self.cover], [self.cover.T, None]])
        if num_cliques == 0:
            return True
        components, _ = connected_components(incidence, directed=False)
        return bool(self.cover.nnz == num_cliques + self.num_vertices - components)
