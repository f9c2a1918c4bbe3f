"""The fewest colours: bounds from both sides until they meet."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from diffcomb.errors import SolveFailedError
from diffcomb.oracles import Limits
from diffcomb.problems.coloring.cliques import largest_clique
from diffcomb.problems.coloring.dsatur import dsatur
from diffcomb.problems.coloring.fewest.decision import AssignmentModel, CoverModel
from diffcomb.problems.coloring.fewest.fractional import fractional_bound
from diffcomb.problems.coloring.fewest.planted import find_planted, planted_number
from diffcomb.problems.coloring.fewest.portfolio import SEARCHES, ColoringPortfolio
from diffcomb.problems.coloring.fewest.reduction import reduce_graph
from diffcomb.problems.coloring.graph import Graph

#: larger CP-SAT models take longer to build than the searches need to do better
_MODEL_LITERALS = 2_000_000
#: and those too large for a slice are left to a longer one
_LITERALS_A_SECOND = 400_000
#: small models get so many times the effort: their deterministic second is over in a fraction of one
_SMALL_LITERALS, _SMALL_EFFORT = 20_000, 6.0
#: stable sets that are enumerated for the cover model
_STABLE_SETS = 20_000
#: column generation pays where stable sets are small: dense graphs, few non-neighbours on average
_DENSE = 0.4
_NON_NEIGHBOURS = 130

#: planted classes are looked for where bounds are so far apart, and where so few classes could do
_PLANTED_RANGE, _PLANTED = 10, 0.7
#: the first round gives each proof, and HEAD, so many seconds; every round twice the one before
_FIRST_ROUND = 0.5
#: longest round with attempts at hopeless proofs
_TRY = 4.0


@dataclass(frozen=True)
class FewestColors:
    """colors (N,) proper, 0..k-1; bound: no proper colouring has fewer colours than this."""

    colors: np.ndarray
    bound: int


def fewest_colors(graph: Graph, options: Limits, enough: int = 0) -> FewestColors:
    """A colouring and a lower bound, equal unless the time limit stops the search.

    Clique bound and DSATUR, once the fractional bound on dense graphs, then rounds of doubling effort:

    1. CP-SAT at K = the lower bound, and at one colour less than known. The low end first: planted
       colourings are often found at the clique number at once, and are hard to reach from above.
    2. Where stable sets are so large that far fewer colours could do: PartialCol at the number of
       classes they suggest.
    3. At one colour less than known, for as long as one succeeds: the searches of `SEARCHES`, the one
       that succeeded last in front and for twice its time.

    Effort is counted in operations, so a seed repeats the same search; only the limit looks at a
    clock, that of CPU time. Every colouring is verified edge by edge.

    Args:
        options: its time_limit is in CPU seconds of this thread: what is found does not depend on
            what else the machine does.
        enough: stops at a colouring with so few colours.
    """
    search = _Search(graph, options, enough)
    search.run()
    return FewestColors(search.colors, search.lower)


class _Search:
    def __init__(self, graph: Graph, options: Limits, enough: int) -> None:
        self.graph, self.seed, self.enough = graph, options.seed, enough
        self.deadline = None if options.time_limit is None else time.thread_time() + options.time_limit
        clique, _ = largest_clique(graph, node_limit=200_000)
        self.lower = self.clique = len(clique)
        self.colors = np.arange(graph.num_vertices)
        self._accept(dsatur(graph, seed=self.seed))
        self._portfolio: ColoringPortfolio | None = None
        self._kept = np.zeros(0, dtype=np.int64)  # the vertices it colours
        self._order = list(SEARCHES)

    @property
    def upper(self) -> int:
        return int(self.colors.max()) + 1

    def done(self) -> bool:
        late = self.deadline is not None and time.thread_time() >= self.deadline
        return self.upper <= max(self.lower, self.enough) or late

    def left(self) -> float | None:
        return None if self.deadline is None else self.deadline - time.thread_time()

    def run(self) -> None:
        seconds, number = _FIRST_ROUND, 0
        guess: int | None = None
        while not self.done():
            # one more than a bound that is half the answer: worth a try, not the time
            hopeful = seconds <= _TRY or self.upper <= 2 * self.lower
            if hopeful:
                self._exact(self.lower, seconds)
            self._planted(guess, 2 * seconds, self.seed + number)
            self._search(seconds)
            if number == 0:
                self._fractional(share=0.3)
                guess = self._planted_guess()
            if hopeful and self.upper - 1 > self.lower:
                self._exact(self.upper - 1, seconds)
            seconds, number = 2 * seconds, number + 1

    # -- steps, each for about `seconds` ------------------------------------------------------------
    def _search(self, seconds: float) -> None:
        """At one colour less, as long as that succeeds."""
        while not self.done():
            target = self.upper - 1
            reduced = reduce_graph(self.graph, target)
            if reduced.graph.num_vertices == 0:
                self._accept(reduced.extend(np.zeros(0, dtype=np.int64)))
                continue
            portfolio = self._portfolio
            if portfolio is None or portfolio.num_colors != target:
                # the other parent of a success is still a good one with a class less
                again = portfolio is not None and np.array_equal(reduced.kept, self._kept)
                other = portfolio.head.parents[portfolio.head.other] if portfolio and again else None
                start = self.colors[reduced.kept]
                portfolio = ColoringPortfolio(reduced.graph, target, start, other, self.seed)
                self._portfolio, self._kept = portfolio, reduced.kept
            for name in self._order:
                share = SEARCHES[name] * (1.0 if name == self._order[0] else 0.5)
                found = portfolio.run(name, share * seconds, self.deadline)
                if found is not None:
                    self._accept(reduced.extend(found))
                    self._order = [name, *(n for n in self._order if n != name)]
                    break
            else:
                return

    def _planted_guess(self) -> int | None:
        """A number of classes far below the colours known that the stable sets suggest, else None."""
        if self.done() or self.upper - self.lower < _PLANTED_RANGE:
            return None
        guess = max(planted_number(self.graph, self.seed), self.lower)
        return guess if guess <= _PLANTED * self.upper else None

    def _planted(self, guess: int | None, seconds: float, seed: int) -> None:
        """Search at the guess and just above."""
        if guess is None:
            return
        for target in range(guess, guess + 3):
            if self.done() or target >= self.upper:
                return
            self._accept(find_planted(self.graph, target, seed=seed, seconds=seconds, deadline=self.deadline))

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
                effort = seconds * (_SMALL_EFFORT if model.size <= _SMALL_LITERALS else 1.0)
                decided = model.solve(effort, self.left(), self.seed)
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
        until = time.thread_time() + (60.0 if left is None else share * left)
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
