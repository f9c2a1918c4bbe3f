"""Near neighbours, the tour that follows them, and what a tour costs; compiled."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled


@compiled
def nearest_lists(cost: np.ndarray, size: int) -> np.ndarray:
    """(N, size) int32: the cheapest neighbours of each city, cheapest first."""
    n = cost.shape[0]
    lists = np.empty((n, size), dtype=np.int32)
    for city in range(n):
        count = 0
        for other in range(n):
            if other == city:
                continue
            if count == size and cost[city, other] >= cost[city, lists[city, size - 1]]:
                continue
            k = count if count < size else size - 1
            while k > 0 and cost[city, lists[city, k - 1]] > cost[city, other]:
                lists[city, k] = lists[city, k - 1]
                k -= 1
            lists[city, k] = other
            count = min(count + 1, size)
    return lists


@compiled
def tour_cost(cost: np.ndarray, tour: np.ndarray) -> float:
    """Sum of the N edges of a closed tour."""
    total = cost[tour[-1], tour[0]]
    for i in range(len(tour) - 1):
        total += cost[tour[i], tour[i + 1]]
    return total


@compiled
def nearest_neighbour_tour(cost: np.ndarray, start: int) -> np.ndarray:
    """From `start` always to the cheapest city not seen yet."""
    n = cost.shape[0]
    tour = np.empty(n, dtype=np.int32)
    seen = np.zeros(n, dtype=np.bool_)
    tour[0] = start
    seen[start] = True
    for i in range(1, n):
        best, best_cost = -1, np.inf
        for city in range(n):
            if not seen[city] and cost[tour[i - 1], city] < best_cost:
                best, best_cost = city, cost[tour[i - 1], city]
        tour[i] = best
        seen[best] = True
    return tour


@compiled
def spread(cost: np.ndarray, near: np.ndarray) -> float:
    """Mean over cities of the cost of the last near neighbour less that of the first."""
    total = 0.0
    for city in range(len(near)):
        total += abs(cost[city, near[city, -1]] - cost[city, near[city, 0]])
    return total / len(near)
