"""One larger instance from costs to proof: tour, cutting planes, reduced-cost fixing, branch and cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from diffcomb.oracles.clock import Clock
from diffcomb.problems.tours.cuts.cuts import Cut
from diffcomb.problems.tours.heuristics.neighbours import nearest_lists
from diffcomb.problems.tours.lp_search.cutting_planes import tighten
from diffcomb.problems.tours.lp_search.incumbent import Incumbent
from diffcomb.problems.tours.lp_search.linear_program import TourProgram
from diffcomb.problems.tours.lp_search.lp_search import FEW_CITIES, Effort, LpSearch, Watch
from diffcomb.problems.tours.outcome import Outcome

#: nearest neighbours of each city whose edges are columns from the start
_FIRST_COLUMNS = 6
#: groups of the local cuts at the root, from that many cities on: where the tree is small anyway, they
#: cost more than the nodes they save
_SIZES = ((300, (8, 10, 12)), (100, (8,)), (0, ()))
#: added to fractional points, for different tours from one of them
_NOISE = (0.0, 0.3, 0.3)


@dataclass
class Known:
    """What a solve may start from, and what it leaves.

    Attributes:
        tour: city order of a good tour; saves most of the local search.
        cuts: of earlier solves, tried before any is looked for.
        watch: told of every node of the search.
        effort: spent on each node; None = what suits the number of cities.
        tight: out, the cuts with a price at the root.
    """

    tour: np.ndarray | None = None
    cuts: Sequence[Cut] = ()
    watch: Watch | None = None
    effort: Effort | None = None
    tight: list[Cut] = field(default_factory=list)


def solve_large(
    num_cities: int,
    tails: np.ndarray,
    heads: np.ndarray,
    cost: np.ndarray,
    tolerance: float,
    clock: Clock,
    seed: int,
    known: Known,
) -> Outcome:
    """Cutting planes, fixing and search over the complete graph.

    Args:
        cost: (n,) scaled to magnitude 1.
    """
    matrix = _matrix(num_cities, tails, heads, cost)
    best = Incumbent(matrix, seed, clock, known.tour)
    kicks = num_cities if known.tour is None else num_cities // 20
    best.search(2 * kicks)
    program = TourProgram(num_cities, tails, heads, cost, _first_columns(matrix, best.edges))
    program.remember(known.cuts)
    # subtours alone cost little, and say which tours are worth looking at
    bound, complete = tighten(program, best.upper, tolerance, clock, price=True, rounds=0)
    if complete and bound < best.upper - tolerance:
        _search_near(program, program.reduced_costs(), best, 10 * kicks)
        sizes = next(sizes for above, sizes in _SIZES if num_cities > above)
        bound, complete = tighten(program, best.upper, tolerance, clock, price=True, rounds=60, sizes=sizes)
    if not complete or clock.is_up():
        return Outcome(best.edges, bound, complete and bound >= best.upper - tolerance)
    prices = program.dual[num_cities:]
    known.tight.extend(cut for price, cut in zip(prices, program.cuts, strict=True) if price > 1e-9)
    if bound >= best.upper - tolerance:
        return Outcome(best.edges, bound, True)
    reduced = program.reduced_costs()
    _search_near(program, reduced, best, 10 * kicks)
    slack = best.upper - tolerance - bound
    if slack <= 0:
        return Outcome(best.edges, bound, True)
    possible = reduced <= slack
    missing = possible.copy()
    missing[program.columns] = False
    if not program.add_columns(np.flatnonzero(missing), clock):
        return Outcome(best.edges, bound, False)
    ceiling = possible[program.columns].astype(np.float64)
    floor = (reduced[program.columns] < -slack).astype(np.float64)
    effort = known.effort or Effort.of(num_cities)
    bound = LpSearch(program, floor, ceiling, best, tolerance, effort).run(clock, bound, known.watch)
    return Outcome(best.edges, bound, bound >= best.upper - tolerance)


def _matrix(num_cities: int, tails: np.ndarray, heads: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(N, N) symmetric, zero diagonal, of values per edge."""
    matrix = np.zeros((num_cities, num_cities))
    matrix[tails, heads] = matrix[heads, tails] = values
    return matrix


def _first_columns(matrix: np.ndarray, tour: np.ndarray) -> np.ndarray:
    """Positions of the edges to near neighbours and of a tour's."""
    n = len(matrix)
    width = min(_FIRST_COLUMNS, n - 1)
    ends, others = np.repeat(np.arange(n), width), nearest_lists(matrix, width).astype(np.int64).ravel()
    low, high = np.minimum(ends, others), np.maximum(ends, others)
    return np.union1d(low * (2 * n - low - 1) // 2 + high - low - 1, tour)


def _search_near(program: TourProgram, reduced: np.ndarray, best: Incumbent, kicks: int) -> None:
    """Look for tours among the neighbours that the dual solution suggests, from the primal one too."""
    n = program.num_cities
    best.neighbours_by(_matrix(n, *program.ends, reduced))
    best.search(kicks)
    for noise in _NOISE if n > FEW_CITIES else _NOISE[:1]:
        best.round(program, kicks, noise)
    best.search(kicks)
