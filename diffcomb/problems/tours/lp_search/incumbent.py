"""The best tour known, and what looks for a better one."""

from __future__ import annotations

import numpy as np

from diffcomb.oracles.clock import Clock
from diffcomb.problems.tours.heuristics.lin_kernighan import improve, local_search
from diffcomb.problems.tours.heuristics.neighbours import nearest_lists, nearest_neighbour_tour, tour_cost
from diffcomb.problems.tours.heuristics.rounding import greedy_tour
from diffcomb.problems.tours.lp_search.linear_program import TourProgram
from diffcomb.problems.tours.outcome import edge_positions

#: neighbours per city of the local search
_NEIGHBOURS = 8
#: a gain below this is rounding
_EPS = 1e-12
#: moves times cities between two looks at the clock
_MOVES = 1_000_000


class Incumbent:
    """Starts with the nearest-neighbour tour or a known one, locally optimal.

    Args:
        matrix: (N, N) costs. seed: of all kicks.

    Attributes:
        tour: (N,) city order. upper: its cost.
    """

    def __init__(
        self, matrix: np.ndarray, seed: int, clock: Clock, known_tour: np.ndarray | None = None
    ) -> None:
        self._matrix, self._clock = matrix, clock
        self._seed = seed
        self._near = nearest_lists(matrix, min(_NEIGHBOURS, len(matrix) - 1))
        start = nearest_neighbour_tour(matrix, 0) if known_tour is None else known_tour.astype(np.int32)
        self.tour, self.upper = self._improved(start, 0, 0)

    @property
    def edges(self) -> np.ndarray:
        """Positions of the tour's edges in the complete graph."""
        return edge_positions(len(self.tour), self.tour)

    def search(self, kicks: int) -> None:
        """Local search with that many kicks on the tour."""
        self._improve(self.tour.copy(), kicks)

    def neighbours_by(self, lengths: np.ndarray) -> None:
        """From now on search among the neighbours nearest by these lengths (N, N), say reduced costs."""
        near = nearest_lists(lengths, min(_NEIGHBOURS, len(lengths) - 1))
        # the local search stops its scan of a list by cost
        ascending = np.argsort(np.take_along_axis(self._matrix, near, 1), axis=1, kind="stable")
        self._near = np.ascontiguousarray(np.take_along_axis(near, ascending, 1))

    def round(self, program: TourProgram, kicks: int, noise: float = 0.0) -> None:
        """Join the edges of the program's point by value, give or take noise; then search from there."""
        value = program.x
        if noise > 0.0:
            value = value + noise * np.random.default_rng(self._seed).random(len(value))
        order = np.argsort(-value, kind="stable")
        order = order[program.x[order] > 1e-6]
        start = greedy_tour(len(self.tour), program.tails, program.heads, order, self._matrix)
        self._improve(start, kicks)

    def keep(self, edges: np.ndarray, tails: np.ndarray, heads: np.ndarray, value: float) -> None:
        """A tour known by its edges' positions, if it is better."""
        if value >= self.upper:
            return
        self.upper = value
        self.tour = greedy_tour(len(self.tour), tails, heads, edges, self._matrix)

    def _improve(self, tour: np.ndarray, kicks: int) -> None:
        """Keep the result if it is better; nothing once time is up."""
        if self._clock.is_up():
            return
        self._seed += 1
        tour, value = self._improved(tour, kicks, self._seed)
        if value < self.upper - _EPS:
            self.tour, self.upper = tour, value

    def _improved(self, tour: np.ndarray, kicks: int, seed: int) -> tuple[np.ndarray, float]:
        """Local search from a tour (N,), which is overwritten, as far as the clock lets it."""
        search = local_search(self._matrix, self._near, tour, seed)
        while not improve(search, kicks, _EPS, 1 + _MOVES // len(tour)):
            if self._clock.is_up():
                if search.counts[2] > 0:
                    tour[:] = search.best
                break
        return tour, tour_cost(self._matrix, tour)
