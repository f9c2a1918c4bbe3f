"""The symmetric travelling salesman problem over one cost per undirected edge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from diffcomb.data.tsplib import read_tsplib
from diffcomb.errors import InvalidCostsError, InvalidInstanceError
from diffcomb.problems.own_arrays import real_numbers, whole_number, whole_numbers
from diffcomb.problems.problem import CostGraph, Problem
from diffcomb.problems.tours.subtour import violated_sets
from diffcomb.program import Program, Rows

#: from so many cities on, relaxed decisions start on near neighbours and price the other edges
_PRICED = 100
_NEIGHBOURS = 10


class TravelingSalesman(Problem):
    """min theta'z over Hamiltonian cycles z of the complete graph on `num_cities` cities.

    Costs: one per undirected edge, row-major upper triangle: (0,1), (0,2), ..., (1,2), ...;
    n = num_cities (num_cities - 1) / 2. Negative costs are fine.
    Program: degree equations x(delta(v)) = 2 plus lazy subtour rows x(delta(S)) >= 2 (Dantzig,
    Fulkerson & Johnson 1954): an outer relaxation of conv(Z) from 6 cities on.

    Args:
        num_cities: at least 3.
        coordinates: (num_cities, 2) positions, only for pictures and features.
        fixed_edges: pairs of cities that must be neighbours on every tour.
    """

    default_oracle = "branch_and_cut"
    structure = ("num_cities", "fixed_edges")

    def __init__(
        self,
        num_cities: int,
        *,
        coordinates: Tensor | None = None,
        fixed_edges: Sequence[tuple[int, int]] = (),
    ) -> None:
        num_cities = whole_number(num_cities, "num_cities")
        if num_cities < 3:
            raise InvalidInstanceError(f"A tour needs at least 3 cities, got {num_cities}.")
        self.num_cities = num_cities
        self.coordinates = None if coordinates is None else _points(coordinates)
        if self.coordinates is not None and len(self.coordinates) != num_cities:
            raise InvalidInstanceError(
                f"{num_cities} cities need as many coordinates, not {len(self.coordinates)}."
            )
        self.costs: Tensor | None = None
        #: (n,) end points of each edge, tail < head
        self.tails, self.heads = np.triu_indices(num_cities, k=1)
        self.num_costs = len(self.tails)
        pairs = whole_numbers(fixed_edges, "Cities of fixed edges")
        if pairs.size and (pairs.ndim != 2 or pairs.shape[1] != 2):
            raise InvalidInstanceError(f"fixed_edges must be pairs of cities, got shape {pairs.shape}.")
        pairs = pairs.reshape(-1, 2)
        if len(pairs) and (
            pairs.min() < 0 or pairs.max() >= num_cities or (pairs[:, 0] == pairs[:, 1]).any()
        ):
            raise InvalidInstanceError(f"A fixed edge joins two different cities below {num_cities}.")
        #: positions in theta of the edges with z = 1 on every tour
        self.fixed_edges = np.unique(self.edge_index_of(pairs[:, 0], pairs[:, 1]))

    @classmethod
    def from_matrix(
        cls, distances: Tensor | np.ndarray, *, fixed_edges: Sequence[tuple[int, int]] = ()
    ) -> TravelingSalesman:
        """From a symmetric (N, N) matrix; the diagonal is ignored.

        Raises:
            InvalidInstanceError: not square, not finite, or asymmetric.
        """
        matrix = torch.from_numpy(real_numbers(distances, "Distances"))
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise InvalidInstanceError(f"The distance matrix must be square, got {tuple(matrix.shape)}.")
        problem = cls(matrix.shape[0], fixed_edges=fixed_edges)
        forward, back = matrix[problem.tails, problem.heads], matrix[problem.heads, problem.tails]
        if not torch.allclose(forward, back, rtol=1e-9, atol=1e-9, equal_nan=True):
            raise InvalidInstanceError(
                "The distance matrix is asymmetric, which is not supported; symmetrise it first."
            )
        problem.costs = problem.check_costs(forward.clone())
        return problem

    @classmethod
    def from_coordinates(cls, xy: Tensor | np.ndarray) -> TravelingSalesman:
        """Euclidean distances between the rows of xy (N, 2)."""
        points = _points(xy)
        problem = cls(points.shape[0], coordinates=points)
        problem.costs = torch.linalg.vector_norm(points[problem.tails] - points[problem.heads], dim=1)
        return problem

    @classmethod
    def from_tsplib(cls, path: str | Path) -> TravelingSalesman:
        """A symmetric TSPLIB file, with its own integer distances in `costs` and its FIXED_EDGES imposed."""
        instance = read_tsplib(path)
        problem = cls.from_matrix(instance.distances, fixed_edges=instance.fixed_edges)
        if instance.coordinates is not None:
            problem.coordinates = _points(instance.coordinates)
        return problem

    # -- tours and edge vectors -----------------------------------------------------------------
    def edge_index_of(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Position in theta of the edges {u, v}."""
        low, high = np.minimum(u, v), np.maximum(u, v)
        return low * (2 * self.num_cities - low - 1) // 2 + high - low - 1

    def decision_of(self, tour: np.ndarray) -> np.ndarray:
        """City order (num_cities,) -> edge vector z (n,)."""
        z = np.zeros(self.num_costs)
        z[self.edge_index_of(tour, np.roll(tour, -1))] = 1.0
        return z

    def matrix_of(self, costs: np.ndarray) -> np.ndarray:
        """Edge costs (n,) -> symmetric (N, N) float64 with a diagonal of zeros."""
        matrix = np.zeros((self.num_cities, self.num_cities))
        matrix[self.tails, self.heads] = matrix[self.heads, self.tails] = costs
        return matrix

    def tour(self, z: Tensor) -> Tensor:
        """Edge vector z (n,) -> city order (num_cities,), starting at city 0.

        Raises:
            InvalidCostsError: z is not a tour.
        """
        if not bool(self.is_feasible(z)):
            raise InvalidCostsError("This decision is not a tour; check problem.is_feasible(z).")
        return torch.from_numpy(self.order_of(np.flatnonzero(z.detach().double().cpu().numpy() > 0.5)))

    def order_of(self, edges: np.ndarray) -> np.ndarray:
        """Positions in theta of a tour's edges -> city order (num_cities,), starting at city 0."""
        return np.array(self._cycles(self.tails[edges], self.heads[edges])[0])

    # -- Problem ----------------------------------------------------------------------------------
    def is_feasible(self, z: Tensor) -> Tensor:
        flat = z.detach().reshape(-1, self.num_costs).double().cpu().numpy()
        feasible = np.zeros(len(flat), dtype=bool)
        for i, row in enumerate(flat):
            chosen = row > 0.5
            if np.abs(row - chosen).max() > 1e-6 or chosen.sum() != self.num_cities:
                continue
            if not chosen[self.fixed_edges].all():
                continue
            u, v = self.tails[chosen], self.heads[chosen]
            degree = np.bincount(np.concatenate([u, v]), minlength=self.num_cities)
            feasible[i] = bool((degree == 2).all()) and self._components(u, v)[0] == 1
        return torch.from_numpy(feasible).reshape(z.shape[:-1]).to(z.device)

    def polytope(self) -> Program:
        edges = np.arange(self.num_costs)
        A = sparse.csr_array(
            (
                np.ones(2 * self.num_costs),
                (np.concatenate([self.tails, self.heads]), np.concatenate([edges, edges])),
            ),
            shape=(self.num_cities, self.num_costs),
        )
        fixed = len(self.fixed_edges)
        ones = sparse.csr_array(
            (np.ones(fixed), (np.arange(fixed), self.fixed_edges)), shape=(fixed, self.num_costs)
        )
        return Program.from_arrays(
            sparse.vstack([A, ones]) if fixed else A,
            np.concatenate([np.full(self.num_cities, 2.0), np.ones(fixed)]),
            num_vars=self.num_costs,
            integral=self.num_cities <= 5,
            separation=self._separate,
        )

    @property
    def has_candidate_columns(self) -> bool:  # type: ignore[override]
        return self.num_cities >= _PRICED and not len(self.fixed_edges)

    def candidate_columns(self, cost: np.ndarray) -> np.ndarray:
        """The edges to the ten cheapest neighbours of each city."""
        matrix = np.full((self.num_cities, self.num_cities), np.inf)
        matrix[self.tails, self.heads] = matrix[self.heads, self.tails] = cost
        width = min(_NEIGHBOURS, self.num_cities - 1)
        near = np.argpartition(matrix, width - 1, axis=1)[:, :width]
        return np.unique(self.edge_index_of(np.repeat(np.arange(self.num_cities), width), near.ravel()))

    def _components(self, u: np.ndarray, v: np.ndarray) -> tuple[int, np.ndarray]:
        shape = (self.num_cities, self.num_cities)
        graph = sparse.csr_array((np.ones(len(u)), (u, v)), shape=shape)
        count, labels = connected_components(graph, directed=False)
        return int(count), labels

    def _separate(self, x: np.ndarray) -> Rows:
        """Rows x(E(S)) <= |S| - 1 violated by more than 1e-8, from exact minimum cuts."""
        support = np.flatnonzero(x > 1e-12)
        sets = violated_sets(self.num_cities, self.tails[support], self.heads[support], x[support], 2e-8)
        columns = [np.flatnonzero(inside[self.tails] & inside[self.heads]) for inside in sets]
        h = [float(inside.sum() - 1) for inside in sets]
        return Rows.from_lists(columns, [np.ones(len(c)) for c in columns], h, self.num_costs)

    def repair(self, z: np.ndarray, cost: np.ndarray) -> np.ndarray | None:
        """Join the cycles of a 2-factor: each next one is spliced in where it costs least."""
        chosen = z > 0.5
        matrix = np.zeros((self.num_cities, self.num_cities))
        matrix[self.tails, self.heads] = matrix[self.heads, self.tails] = cost
        cycles = self._cycles(self.tails[chosen], self.heads[chosen])
        tour = cycles[0]
        for cycle in cycles[1:]:
            a, b = np.array(tour), np.roll(tour, -1)
            best = (np.inf, 0, 0, False)
            for j in range(len(cycle)):
                c, d = cycle[j], cycle[(j + 1) % len(cycle)]
                for flipped, (first, last) in ((False, (d, c)), (True, (c, d))):
                    delta = matrix[a, first] + matrix[last, b] - matrix[a, b] - matrix[c, d]
                    i = int(delta.argmin())
                    best = min(best, (float(delta[i]), i, j, flipped))
            _, i, j, flipped = best
            opened = cycle[j + 1 :] + cycle[: j + 1]
            tour = tour[: i + 1] + (opened[::-1] if flipped else opened) + tour[i + 1 :]
        repaired = self.decision_of(np.array(tour))
        return repaired if repaired[self.fixed_edges].all() else None

    def _cycles(self, u: np.ndarray, v: np.ndarray) -> list[list[int]]:
        """Node sequences of the cycles of a 2-factor given by its edges."""
        neighbours: list[list[int]] = [[] for _ in range(self.num_cities)]
        for a, b in zip(u.tolist(), v.tolist(), strict=True):
            neighbours[a].append(b)
            neighbours[b].append(a)
        unseen, cycles = set(range(self.num_cities)), []
        while unseen:
            cycle = [min(unseen)]
            unseen.discard(cycle[0])
            while True:
                following = [w for w in neighbours[cycle[-1]] if w in unseen]
                if not following:
                    break
                cycle.append(min(following))
                unseen.discard(cycle[-1])
            cycles.append(cycle)
        return cycles

    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Euclidean distances of uniform points in the unit square."""
        points = torch.rand(batch, self.num_cities, 2, generator=generator, dtype=dtype)
        return torch.linalg.vector_norm(points[:, self.tails] - points[:, self.heads], dim=-1)

    def cost_graph(self) -> CostGraph:
        edge_index = torch.from_numpy(np.stack([self.tails, self.heads]))
        return CostGraph(edge_index, self.num_cities)


def _points(xy: Tensor | np.ndarray) -> Tensor:
    """A copy (N, 2) float64."""
    points = torch.from_numpy(real_numbers(xy, "Coordinates"))
    if points.ndim != 2 or points.shape[1] != 2:
        raise InvalidInstanceError(f"Coordinates must have shape (N, 2), got {tuple(points.shape)}.")
    if not bool(torch.isfinite(points).all()):
        raise InvalidInstanceError("Coordinates must be finite.")
    return points
