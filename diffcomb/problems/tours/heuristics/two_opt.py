"""The simplest tours: greedy edges, nearest neighbour, and 2-opt on top of them, compiled."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.problems.problem import Problem
from diffcomb.problems.tours.heuristics.neighbours import nearest_neighbour_tour, tour_cost
from diffcomb.problems.tours.heuristics.rounding import join_edges
from diffcomb.problems.tours.traveling_salesman import TravelingSalesman


@compiled
def greedy_edge_tour(order: np.ndarray, tails: np.ndarray, heads: np.ndarray, num_cities: int) -> np.ndarray:
    """Insert edges in the order given wherever two paths can be joined; close the last path.

    Args:
        order: (n,) int64, all edges of the complete graph, best first. tails, heads: (n,) int64.

    Returns:
        (num_cities,) int32 tour.
    """
    neighbours, degree = join_edges(order, tails, heads, num_cities)
    tour = np.empty(num_cities, dtype=np.int32)
    current, before = 0, -1
    for v in range(num_cities):
        if degree[v] < 2:
            current = v
            break
    for k in range(num_cities):
        tour[k] = current
        following = neighbours[current, 0]
        if following == before:
            following = neighbours[current, 1]
        before, current = current, following
    return tour


@compiled
def two_opt(cost: np.ndarray, tour: np.ndarray) -> float:
    """Reverse segments as long as that shortens the tour, in place; its final cost (Croes 1958).

    Args:
        cost: (N, N) symmetric float64. tour: (N,) int32, changed.
    """
    n = len(tour)
    scale = np.abs(cost).max()
    improved = True
    while improved:
        improved = False
        for i in range(n - 1):
            for j in range(i + 2, n):
                a, b = tour[i], tour[i + 1]
                c, d = tour[j], tour[(j + 1) % n]
                if a == d:
                    continue
                if cost[a, c] + cost[b, d] - cost[a, b] - cost[c, d] < -1e-12 * scale:
                    low, high = i + 1, j
                    while low < high:
                        tour[low], tour[high] = tour[high], tour[low]
                        low += 1
                        high -= 1
                    improved = True
    return tour_cost(cost, tour)


@compiled
def best_nearest_neighbour(cost: np.ndarray, improve: bool) -> np.ndarray:
    """The best of the nearest-neighbour tours from every city, each followed by 2-opt if `improve`."""
    best = nearest_neighbour_tour(cost, 0)
    shortest = np.inf
    for start in range(cost.shape[0]):
        tour = nearest_neighbour_tour(cost, start)
        length = two_opt(cost, tour) if improve else tour_cost(cost, tour)
        if length < shortest:
            shortest = length
            best = tour
    return best


class NearestNeighborTwoOpt:
    """Nearest neighbour from every city, each tour improved by 2-opt; the best of them. A heuristic.

    The control every learned tour has to beat. O(N) runs of about O(N^2); no bound, no proof.
    """

    name = "nearest_neighbor_2opt"
    exact = False

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, TravelingSalesman)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, TravelingSalesman)

        def solve_one(theta: np.ndarray) -> Solved:
            tour = best_nearest_neighbour(problem.matrix_of(theta), True)
            return Solved(problem.decision_of(tour), -np.inf, Status.HEURISTIC)

        return solve_each(solve_one, costs, options)
