"""The fewest colours: bounds from both sides until they meet."""

from __future__ import annotations

import time

import numpy as np

from diffcomb.errors import SolveFailedError
from diffcomb.oracles.coloring.decision import AssignmentModel, CoverModel
from diffcomb.oracles.coloring.evolution import ColoringEvolution, smallest_class_last
from diffcomb.oracles.coloring.fractional import fractional_bound
from diffcomb.oracles.coloring.partial_tabu import PartialTabuSearch
from diffcomb.oracles.coloring.planted import find_planted, planted_number
from diffcomb.oracles.coloring.reduction import reduce_graph
from diffcomb.problems import FewestColors, Graph, SolveOptions
from diffcomb.problems.cliques import largest_clique
from diffcomb.problems.dsatur import dsatur

#: larger CP-SAT models take longer to build than the searches need to do better
_MODEL_LITERALS = 2_000_000
#: and those too large for a slice are left to a longer one
_LITERALS_A_SECOND = 400_000
#: stable sets that are enumerated for the cover model
_STABLE_SETS = 20_000
#: column generation pays where stable sets are small: dense graphs, few non-neighbours on average
_DENSE = 0.4
_NON_NEIGHBOURS = 130


#: longest slice, in seconds, for hopeless proofs
_TRY = 4.5
#: planted classes are looked for where bounds are so far apart, and where so few classes could do
_PLANTED_RANGE, _PLANTED = 10, 0.7
#: tabu steps a vertex between two crossings, see `ColoringEvolution`
_STEPS_A_VERTEX = 30


def fewest_colors(graph: Graph, options: SolveOptions, enough: int = 0) -> FewestColors:
    """A colouring and a lower bound, equal unless the time limit stops the search.

    Clique bound, DSATUR, then in growing slices of effort: CP-SAT at K = the lower bound; PartialCol
    with both tenures, then HEAD, at one colour less than known; the fractional bound and the cover
    model on dense graphs; once, a guess at planted classes. The low end first: planted colourings are
    found at the clique number at once, and are hard to reach from above. Every colouring is verified
    edge by edge.

    Args:
        enough: stops at a colouring with so few colours.
    """
    search = _Search(graph, options, enough)
    search.run()
    return FewestColors(search.colors, search.lower)


class _Search:
    def __init__(self, graph: Graph, options: SolveOptions, enough: int) -> None:
        self.graph, self.seed, self.enough = graph, options.seed, enough
        self.deadline = None if options.time_limit is None else time.perf_counter() + options.time_limit
        clique, _ = largest_clique(graph, node_limit=200_000)
        self.lower = self.clique = len(clique)
        self.colors = np.arange(graph.num_vertices)
        self._accept(dsatur(graph, seed=self.seed))
        self._evolution: ColoringEvolution | None = None
        self._evolved = np.zeros(0, dtype=np.int64)  # the vertices it colours

    @property
    def upper(self) -> int:
        return int(self.colors.max()) + 1

    def done(self) -> bool:
        late = self.deadline is not None and time.perf_counter() >= self.deadline
        return self.upper <= max(self.lower, self.enough) or late

    def left(self) -> float | None:
        return None if self.deadline is None else self.deadline - time.perf_counter()

    def run(self) -> None:
        seconds = 0.5
        while not self.done():
            # one more than a bound that is half the answer: worth a try, not the time
            if seconds <= _TRY or self.upper <= 2 * self.lower:
                self._exact(self.lower, seconds)
            self._search(seconds)
            if seconds == 0.5:
                self._planted(share=0.05)
                self._fractional(share=0.3)
            if self.upper - 1 > self.lower:
                self._exact(self.upper - 1, seconds)
            seconds *= 3

    # -- steps, each for about `seconds` ------------------------------------------------------------
    def _search(self, seconds: float) -> None:
        """At one colour less, as long as that succeeds: PartialCol with both tenures, then HEAD."""
        while not self.done():
            target = self.upper - 1
            reduced = reduce_graph(self.graph, target)
            graph = reduced.graph
            if graph.num_vertices == 0:
                self._accept(reduced.extend(np.zeros(0, dtype=np.int64)))
                continue
            evolution = self._evolution
            if evolution is None or evolution.num_colors != target:
                start = smallest_class_last(self.colors[reduced.kept])
                partial = np.where(start < target, start, -1)
                # once HEAD has begun to succeed, PartialCol seldom does
                share = 0.3 if evolution is None else 0.05
                found = self._partial(graph, target, partial, share * seconds)
                if found is not None:
                    self._accept(reduced.extend(found))
                    continue
                # the other parent of a success is still a good one with a class less
                parents = [start]
                if evolution is not None and np.array_equal(reduced.kept, self._evolved):
                    parents.append(smallest_class_last(evolution.parents[evolution.other]))
                steps = _STEPS_A_VERTEX * graph.num_vertices
                evolution = ColoringEvolution(graph, target, parents, self.seed, steps)
                self._evolution, self._evolved = evolution, reduced.kept
            found = evolution.run(seconds, self.deadline)
            if found is None:
                return
            self._accept(reduced.extend(found))

    def _partial(self, graph: Graph, target: int, start: np.ndarray, seconds: float) -> np.ndarray | None:
        for reactive in (False, True):
            search = PartialTabuSearch(graph, target, self.seed, reactive=reactive)
            found, uncolored = search.run(start, seconds / 2, self.deadline)
            if uncolored == 0:
                return found
            start = found
        return None

    def _planted(self, share: float) -> None:
        """Search at and just above a hinted number of classes, each for a share of the time left."""
        if self.done() or self.upper - self.lower < _PLANTED_RANGE:
            return
        guess = planted_number(self.graph, self.seed)
        if guess > _PLANTED * self.upper:
            return
        left = self.left()
        for target in range(max(guess, self.lower), min(guess + 3, self.upper)):
            if self.done() or target >= self.upper:
                return
            seconds = 15.0 if left is None else share * left
            self._accept(
                find_planted(self.graph, target, seed=self.seed, seconds=seconds, deadline=self.deadline)
            )

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
            # cliques of the cover are hardly larger than the largest known: saves building it in vain
            size = 2 * len(reduced.graph.edges) / max(self.clique - 1, 1) * num_colors
            limit = min(_MODEL_LITERALS, _LITERALS_A_SECOND * seconds)
            if size <= limit:
                models.append(AssignmentModel(reduced.graph, num_colors))
            proven = False
            for model in models:
                if model.size > limit or self.done():
                    continue
                left = self.left()
                # CP-SAT's own clock stands still in presolve; where time is limited, ours does not
                wall = None if left is None else min(left, seconds)
                decided = model.solve(seconds, wall, self.seed)
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
