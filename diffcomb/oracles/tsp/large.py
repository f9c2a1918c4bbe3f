"""One larger instance from costs to proof: tour, cutting planes, reduced-cost fixing, branch and cut."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from diffcomb.oracles.tsp.cuts import Cut
from diffcomb.oracles.tsp.cutting_planes import tighten
from diffcomb.oracles.tsp.lin_kernighan import improve_tour, nearest_lists, nearest_neighbour_tour
from diffcomb.oracles.tsp.linear_program import TourProgram
from diffcomb.oracles.tsp.lp_search import LpSearch
from diffcomb.oracles.tsp.outcome import Outcome, edge_positions
from diffcomb.oracles.tsp.rounding import round_point


def solve_large(
    num_cities: int,
    tails: np.ndarray,
    heads: np.ndarray,
    cost: np.ndarray,
    tolerance: float,
    deadline: float,
    seed: int,
    known_tour: np.ndarray | None = None,
    known_cuts: Sequence[Cut] = (),
    tight_cuts: list[Cut] | None = None,
) -> Outcome:
    """Cutting planes, fixing and search over the complete graph.

    Args:
        cost: (n,) scaled to magnitude 1. deadline: in time.perf_counter.
        known_tour: city order of a good tour; saves most of the local search.
        known_cuts: of earlier solves, tried before any is looked for.
        tight_cuts: out, extended by the cuts with a price at the root.
    """
    effort = 10 if known_tour is None else 1
    matrix = np.zeros((num_cities, num_cities))
    matrix[tails, heads] = matrix[heads, tails] = cost
    near = nearest_lists(matrix, min(8, num_cities - 1))
    tour = nearest_neighbour_tour(matrix, 0) if known_tour is None else known_tour.astype(np.int32)
    upper = _search_tours(matrix, near, tour, effort, seed, deadline)
    best = edge_positions(num_cities, tour)

    ends = np.repeat(np.arange(num_cities), min(6, num_cities - 1))
    others = near[:, : min(6, num_cities - 1)].astype(np.int64).ravel()
    low, high = np.minimum(ends, others), np.maximum(ends, others)
    columns = np.union1d(low * (2 * num_cities - low - 1) // 2 + high - low - 1, best)
    program = TourProgram(num_cities, tails, heads, cost, columns)
    program.remember(known_cuts)
    bound, complete = tighten(program, upper, tolerance, deadline, price=True, rounds=40)
    if not complete:
        return Outcome(best, bound, False)
    reduced = program.reduced_costs()
    if tight_cuts is not None:
        prices = program.dual[num_cities:]
        tight_cuts.extend(cut for price, cut in zip(prices, program.cuts, strict=True) if price > 1e-9)
    if bound < upper - tolerance:
        # the dual solution says which neighbours matter: search among them
        lengths = np.zeros((num_cities, num_cities))
        lengths[tails, heads] = lengths[heads, tails] = reduced
        near = nearest_lists(lengths, min(8, num_cities - 1))
        # the local search stops its scan of a list by cost
        ascending = np.argsort(np.take_along_axis(matrix, near, 1), axis=1, kind="stable")
        near = np.ascontiguousarray(np.take_along_axis(near, ascending, 1))
        upper = _search_tours(matrix, near, tour, effort, seed + 1, deadline)
        for k in range(effort // 2):
            if time.perf_counter() > deadline:
                break
            rounded, value = round_point(
                program.tails, program.heads, program.x, matrix, near, 2 * num_cities, seed + k
            )
            if value < upper:
                tour, upper = rounded, value
        best = edge_positions(num_cities, tour)
    slack = upper - tolerance - bound
    if slack <= 0:
        return Outcome(best, bound, True)
    possible = reduced <= slack
    entering = np.setdiff1d(np.flatnonzero(possible), program.columns)
    program.add_columns(entering)
    ceiling = possible[program.columns].astype(np.float64)
    floor = (reduced[program.columns] < -slack).astype(np.float64)
    search = LpSearch(program, floor, ceiling, upper, tolerance, matrix, near)
    outcome = search.run(deadline, bound)
    edges = best if outcome.edges is None else outcome.edges
    return Outcome(edges, outcome.bound, outcome.bound >= outcome.upper - tolerance)


def _search_tours(
    matrix: np.ndarray, near: np.ndarray, tour: np.ndarray, effort: int, seed: int, deadline: float
) -> float:
    """`effort` times N kicks on the tour, in place, as long as there is time; its cost."""
    for k in range(effort):
        upper = improve_tour(matrix, near, tour, len(matrix), seed + 1000 * k, 1e-12)
        if time.perf_counter() > deadline:
            break
    return upper
