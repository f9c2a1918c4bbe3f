"""Graph colouring: the cheapest colouring with K colours, and the fewest colours."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.data.dimacs import MAX_VERTICES, read_dimacs
from diffcomb.errors import ColorSymmetryWarning, InvalidCostsError, InvalidInstanceError
from diffcomb.oracles import Limits, OracleResult, Status
from diffcomb.problems.coloring.clique_rows import CliqueRows
from diffcomb.problems.coloring.cliques import largest_clique
from diffcomb.problems.coloring.dsatur import dsatur
from diffcomb.problems.coloring.fewest.fewest import fewest_colors
from diffcomb.problems.coloring.graph import Graph
from diffcomb.problems.own_arrays import pairs_of_nodes, whole_number
from diffcomb.problems.problem import CostGraph, Problem
from diffcomb.program import Program


class GraphColoring(Problem):
    """min sum theta[v, k] z[v, k] over proper colourings z with at most K colours.

    z[v, k] = 1 gives vertex v colour k; z and theta are flattened row by row, entry v K + k, so
    n = N K. theta[v, k] is the cost of that choice: frequency assignment, timetabling, register
    allocation. Adding a constant to all colours of one vertex changes no decision.

    Program: one colour a vertex (sum_k x[v, k] = 1) and x(C, k) <= 1 for cliques C and colours k:
    an outer relaxation of conv(Z), equal to it where every block of the graph is a clique (forests,
    complete graphs) and on bipartite graphs with K = 2. See `CliqueRows` for which cliques.

    Symmetry: if some colours cost the same on every vertex, exchanging them changes nothing, z* is
    never unique, and a gradient at one of several optima means nothing. `check_costs` warns
    (`ColorSymmetryWarning`) when such costs ask for a gradient. The fewest colours is the extreme
    case: it has no costs, hence no gradient.

    Args:
        edges: (E, 2) or (2, E) pairs of vertices, either orientation, repetitions merged; a (2, 2)
            input is read as two rows.
        num_vertices: N; vertices without edges are fine.
        num_colors: K, at least the clique number.
        max_cliques: all maximal cliques enter the polytope when there are at most so many,
            otherwise a cover of the edges by maximal cliques. Small: fewer rows, a weaker
            relaxation; large: the tightest clique relaxation.
        name: for tables and pictures.

    Raises:
        InvalidInstanceError: a self-loop, end points outside 0..N-1, more than `MAX_VERTICES`
            vertices, or K below the size of a clique.
    """

    default_oracle = "coloring_cpsat"

    def __init__(
        self,
        edges: Tensor | np.ndarray | Sequence[tuple[int, int]],
        num_vertices: int,
        num_colors: int,
        *,
        max_cliques: int = 20_000,
        name: str = "graph",
    ) -> None:
        num_vertices = whole_number(num_vertices, "num_vertices", 1)
        num_colors = whole_number(num_colors, "num_colors", 1)
        self.graph = Graph(num_vertices, _checked_edges(edges, num_vertices))
        #: a large clique: so many colours are needed
        self.clique, _ = largest_clique(self.graph)
        if num_colors < len(self.clique):
            raise InvalidInstanceError(
                f"num_colors={num_colors} is below the clique number: vertices {self.clique.tolist()} are"
                f" pairwise adjacent and need {len(self.clique)} colours."
            )
        self.num_vertices, self.num_colors = num_vertices, num_colors
        self.max_cliques, self.name = max_cliques, name
        self.num_costs = num_vertices * num_colors

    @classmethod
    def from_dimacs(
        cls, path: str | Path, num_colors: int | None = None, *, max_cliques: int = 20_000
    ) -> GraphColoring:
        """A DIMACS .col file; num_colors=None takes as many as DSATUR needs, so Z is never empty.

        Raises:
            InvalidInstanceError: see `diffcomb.data.read_dimacs` and the constructor.
        """
        read = read_dimacs(path)
        if num_colors is None:
            num_colors = int(dsatur(Graph(read.num_vertices, read.edges)).max()) + 1
        return cls(read.edges, read.num_vertices, num_colors, max_cliques=max_cliques, name=read.name)

    @classmethod
    def random(
        cls,
        num_vertices: int,
        edge_probability: float = 0.5,
        num_colors: int | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> GraphColoring:
        """Edges drawn independently (Erdos & Renyi 1959); the same generator, the same graph.

        Args:
            edge_probability: in [0, 1].
            num_colors: None takes as many as DSATUR needs.
        """
        num_vertices = whole_number(num_vertices, "num_vertices", 1)
        if not 0 <= edge_probability <= 1:
            raise InvalidInstanceError(f"edge_probability must lie in [0, 1], got {edge_probability}.")
        tails, heads = np.triu_indices(num_vertices, k=1)
        drawn = torch.rand(len(tails), generator=generator, dtype=torch.float64).numpy() < edge_probability
        edges = np.stack([tails[drawn], heads[drawn]], axis=1)
        if num_colors is None:
            num_colors = int(dsatur(Graph(num_vertices, edges)).max()) + 1
        return cls(edges, num_vertices, num_colors, name=f"random_{num_vertices}")

    @property
    def edges(self) -> np.ndarray:
        """(E, 2) int64, each edge once, tail < head."""
        return self.graph.edges

    # -- colours and decisions ------------------------------------------------------------------
    def colors(self, z: Tensor) -> Tensor:
        """Decision z (..., n) -> colour of each vertex (..., N)."""
        return z.reshape(*z.shape[:-1], self.num_vertices, -1).argmax(-1)

    def decision_of(self, colors: np.ndarray) -> np.ndarray:
        """Colours (N,) in 0..K-1 -> z (n,)."""
        return _one_hot(np.asarray(colors), self.num_colors)

    def conflicts(self, z: Tensor) -> Tensor:
        """(c, 2) edges whose end points get the same colour in z (n,); empty for a proper colouring."""
        return torch.from_numpy(self.graph.conflicts(self.colors(z).detach().cpu().numpy()))

    # -- Problem ----------------------------------------------------------------------------------
    def is_feasible(self, z: Tensor) -> Tensor:
        if z.shape[-1] != self.num_costs:
            raise InvalidCostsError(f"A decision has {self.num_costs} entries, got {z.shape[-1]}.")
        chosen = z > 0.5
        binary = ((z - chosen.to(z.dtype)).abs() <= 1e-6).all(-1)
        one_hot = chosen.reshape(*z.shape[:-1], self.num_vertices, self.num_colors)
        one_color = (one_hot.sum(-1) == 1).all(-1)
        colors = one_hot.to(torch.uint8).argmax(-1)
        tails, heads = torch.from_numpy(self.edges).to(z.device).T
        return binary & one_color & (colors[..., tails] != colors[..., heads]).all(-1)

    @cached_property
    def clique_rows(self) -> CliqueRows:
        """The cliques behind the polytope's rows."""
        return CliqueRows(self.graph, self.num_colors, self.max_cliques)

    def polytope(self) -> Program:
        A = sparse.kron(sparse.eye_array(self.num_vertices), np.ones((1, self.num_colors)))
        rows = self.clique_rows
        return Program.from_arrays(
            A,
            np.ones(self.num_vertices),
            rows.initial.G,
            rows.initial.h,
            num_vars=self.num_costs,
            integral=rows.integral,
            separation=rows.separate if rows.is_lazy else None,
            every_lazy_row=rows.every_row if rows.is_lazy else None,
        )

    def check_costs(self, theta: Tensor) -> Tensor:
        """As `Problem.check_costs`; warns when colours are interchangeable and a gradient is asked for."""
        theta = super().check_costs(theta)
        if theta.requires_grad and torch.is_grad_enabled() and self.num_colors > 1:
            per_color = theta.detach().reshape(-1, self.num_vertices, self.num_colors).transpose(1, 2)
            for batch, table in enumerate(per_color):
                distinct = torch.unique(table, dim=0)
                if len(distinct) < self.num_colors:
                    warnings.warn(
                        f"In cost vector {batch} some colours cost the same on every vertex: exchanging"
                        " them changes nothing, the optimum is not unique and its gradient means nothing."
                        " Break the tie in the costs.",
                        ColorSymmetryWarning,
                        stacklevel=3,
                    )
                    break
        return theta

    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Uniform in (0, 1)."""
        return torch.rand(batch, self.num_costs, generator=generator, dtype=dtype)

    def cost_graph(self) -> CostGraph:
        """Vertices 0..N-1, colours N..N+K-1, one edge a choice; conflicts are in `edges`."""
        vertices = torch.arange(self.num_vertices).repeat_interleave(self.num_colors)
        colors = torch.arange(self.num_colors).repeat(self.num_vertices) + self.num_vertices
        return CostGraph(torch.stack([vertices, colors]), self.num_vertices + self.num_colors)

    # -- fewest colours ---------------------------------------------------------------------------
    def chromatic_number(
        self, time_limit: float | None = 300.0, *, enough: int = 0, seed: int = 0
    ) -> OracleResult:
        """The fewest colours of any proper colouring, whatever `num_colors` and the costs are.

        Args:
            time_limit: CPU seconds of this thread, so that what is found does not depend on what else
                the machine does; None = until proven, which may take for ever.
            enough: a colouring with so few colours ends the search, proven or not.
            seed: of the tabu search; same seed and no limit, same answer.

        Returns:
            value = colours used by the colouring found, bound = proven lower bound (a whole number),
            status optimal exactly when they meet. decision is that colouring, one-hot, of length
            N max(num_colors, value): a member of Z whenever value <= num_colors. All float64.
        """
        options = Limits(time_limit=time_limit, num_workers=1, seed=seed)
        start = time.perf_counter()
        found = fewest_colors(self.graph, options, enough)
        used = int(found.colors.max()) + 1
        decision = torch.from_numpy(_one_hot(found.colors, max(used, self.num_colors)))
        status = Status.OPTIMAL if found.bound == used else Status.FEASIBLE
        value, bound = (torch.tensor(float(v), dtype=torch.float64) for v in (used, found.bound))
        return OracleResult(decision, value, bound, (status,), time.perf_counter() - start)


def _one_hot(colors: np.ndarray, num_colors: int) -> np.ndarray:
    z = np.zeros((len(colors), num_colors))
    z[np.arange(len(colors)), colors] = 1.0
    return z.reshape(-1)


def _checked_edges(edges: Tensor | np.ndarray | Sequence[tuple[int, int]], num_vertices: int) -> np.ndarray:
    if num_vertices > MAX_VERTICES:
        raise InvalidInstanceError(f"{num_vertices} vertices are above the limit of {MAX_VERTICES}.")
    pairs = pairs_of_nodes(edges, "Edges")
    outside = np.flatnonzero((pairs < 0).any(1) | (pairs >= num_vertices).any(1))
    if len(outside):
        raise InvalidInstanceError(
            f"Edge {outside[0]} {pairs[outside[0]].tolist()} leaves the vertices 0..{num_vertices - 1}."
        )
    loops = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
    if len(loops):
        raise InvalidInstanceError(
            f"Edge {loops[0]} is a self-loop at vertex {pairs[loops[0], 0]}, so no colouring exists;"
            " remove it."
        )
    codes = np.unique(pairs.min(1) * num_vertices + pairs.max(1))
    return np.stack([codes // num_vertices, codes % num_vertices], axis=1)
