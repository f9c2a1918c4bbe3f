"""What the tour searches hand to one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffcomb.compiled import compiled


@dataclass(frozen=True)
class Outcome:
    """Positions of the best tour's edges, a lower bound in scaled costs, whether the tour is proven."""

    edges: np.ndarray
    bound: float
    proven: bool

    def or_better(self, other: Outcome, cost: np.ndarray) -> Outcome:
        """The cheaper tour with the higher bound of two unproven searches; a proof is kept."""
        if self.proven or not len(other.edges):
            return self
        edges = self.edges if cost[self.edges].sum() <= cost[other.edges].sum() else other.edges
        return Outcome(edges, max(self.bound, other.bound), False)


@compiled
def edge_positions(num_cities: int, tour: np.ndarray) -> np.ndarray:
    """Positions of a tour's edges in the row-major upper triangle."""
    positions = np.empty(num_cities, dtype=np.int64)
    for k in range(num_cities):
        u, v = np.int64(tour[k]), np.int64(tour[k + 1 if k + 1 < num_cities else 0])
        low, high = min(u, v), max(u, v)
        positions[k] = low * (2 * num_cities - low - 1) // 2 + high - low - 1
    return positions
