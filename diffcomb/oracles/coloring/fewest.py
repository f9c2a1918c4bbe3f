"""The fewest colours: bounds from both sides until they meet."""

from __future__ import annotations

import time

import numpy as np

from diffcomb.errors import SolveFailedError
from diffcomb.oracles.coloring.decision import AssignmentModel, CoverModel
from diffcomb.oracles.coloring.evolution import ColoringEvolution
from diffcomb.oracles.coloring.fractional import fractional_bound
from diffcomb.oracles.coloring.reduction import reduce_graph
from diffcomb.oracles.coloring.tabu import find_coloring
from diffcomb.problems import FewestColors, Graph, SolveOptions
from diffcomb.problems.cliques import largest_clique
from diffcomb.problems.dsatur import dsatur

#: larger CP-SAT models take longer to build than the searches need to do better
_MODEL_LITERALS = 2_000_000
#: stable sets that are enumerated for the cover model
_STABLE_SETS = 20_000
#: column generation pays where stable sets are small: dense graphs, few non-neighbours on average
_DENSE = 0.4
_NON_NEIGHBOURS = 130


def fewest_colors(graph: Graph, options: SolveOptions) -> FewestColors:
    """A colouring and a lower bound, equal unless the time limit stops the search.

    Clique bound, DSATUR, then in growing slices of effort: CP-SAT at K = the lower bound, TabuCol and
    HEAD at one colour less than known, the fractional bound and the cover model on dense graphs.
    The low end first: planted colourings are found at the clique number at once, and are hard to
    reach from above. Every colouring is verified edge by edge.
    """
    search = _Search(graph, options)
    search.run()
    return FewestColors(search.colors, search.lower)


class _Search:
    def __init__(self, graph: Graph, options: SolveOptions) -> None:
        self.graph, self.seed = graph, options.seed
        self.deadline = None if options.time_limit is None else time.perf_counter() + options.time_limit
        clique, _ = largest_clique(graph, node_limit=200_000)
        self.lower = len(clique)
        self.colors = np.arange(graph.num_vertices)
        self._accept(dsatur(graph, seed=self.seed))
        self._evolution: ColoringEvolution | None = None
        self._evolution_colors = -1

    @property
    def upper(self) -> int:
        return int(self.colors.max()) + 1

    def done(self) -> bool:
        late = self.deadline is not None and time.perf_counter() >= self.deadline
        return self.lower >= self.upper or late

    def left(self) -> float | None:
        return None if self.deadline is None else self.deadline - time.perf_counter()

    def run(self) -> None:
        seconds = 0.5
        while not self.done():
            self._exact(self.lower, seconds)
            self._search(seconds)
            if seconds == 0.5:
                self._fractional(share=0.3)
            if self.upper - 1 > self.lower:
                self._exact(self.upper - 1, seconds)
            seconds *= 3

    # -- steps, each for about `seconds` ------------------------------------------------------------
    def _search(self, seconds: float) -> None:
        """Tabu search at one colour less, as long as it succeeds."""
        while not self.done():
            target = self.upper - 1
            reduced = reduce_graph(self.graph, target)
            if reduced.graph.num_vertices == 0:
                self._accept(reduced.extend(np.zeros(0, dtype=np.int64)))
                continue
            if self._evolution is None or self._evolution_colors != target:
                found = find_coloring(
                    reduced.graph, target, seed=self.seed, seconds=0.2 * seconds, deadline=self.deadline
                )
                if found is not None:
                    self._accept(reduced.extend(found))
                    continue
                effort = min(
                    2.0, 2e-9 * 20 * reduced.graph.num_vertices * (len(reduced.graph.edges) ** 0.5 + 500)
                )
                start = np.minimum(self.colors[reduced.kept], target)
                self._evolution = ColoringEvolution(reduced.graph, target, start, self.seed, effort)
                self._evolution_colors = target
            found = self._evolution.run(seconds, self.deadline)
            if found is None:
                return
            self._accept(reduced.extend(found))

    def _exact(self, num_colors: int, seconds: float) -> None:
        """Decide K = num_colors with CP-SAT; a proof of impossibility raises the bound and goes on."""
        while not self.done() and num_colors < self.upper:
            reduced = reduce_graph(self.graph, num_colors)
            if reduced.graph.num_vertices == 0:
                self._accept(reduced.extend(np.zeros(0, dtype=np.int64)))
                return
            models: list[AssignmentModel | CoverModel] = []
            cover = CoverModel.build(reduced.graph, num_colors, _STABLE_SETS)
            if cover is not None and (cover.tight or cover.size == 0 or reduced.graph.density >= _DENSE):
                models.append(cover)
            models.append(AssignmentModel(reduced.graph, num_colors))
            proven = False
            for model in models:
                if model.size > _MODEL_LITERALS or self.done():
                    continue
                decided = model.solve(seconds, self.left(), self.seed)
                if decided.colors is not None:
                    self._accept(reduced.extend(decided.colors))
                    return
                proven = decided.impossible
                if proven:
                    break
            if not proven:
                return
            self.lower = max(self.lower, num_colors + 1)
            num_colors += 1

    def _fractional(self, share: float) -> None:
        """Column generation on the kernel of the lower bound, for a share of the time left."""
        if self.done():
            return
        reduced = reduce_graph(self.graph, self.lower)
        graph = reduced.graph
        if graph.density < _DENSE or graph.num_vertices * (1 - graph.density) > _NON_NEIGHBOURS:
            return
        left = self.left()
        until = time.perf_counter() + (60.0 if left is None else share * left)
        bound = fractional_bound(reduced.graph, self.colors[reduced.kept], stop_at=self.upper, deadline=until)
        self.lower = max(self.lower, bound)

    def _accept(self, colors: np.ndarray) -> None:
        """Take a colouring with fewer colours, verified and numbered 0..k-1."""
        if len(self.graph.conflicts(colors)) or colors.min() < 0:
            raise SolveFailedError("A colouring failed the check edge by edge; please report this graph.")
        _, packed = np.unique(colors, return_inverse=True)
        if packed.max() < self.colors.max():
            self.colors = packed
        if self.upper < self.lower:
            raise SolveFailedError(
                f"A colouring with {self.upper} colours contradicts the lower bound {self.lower};"
                " please report this graph."
            )
