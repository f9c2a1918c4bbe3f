"""Minimum-cost matching in a general graph."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems.end_points import end_points
from diffcomb.problems.matching.odd_sets import violated_odd_sets
from diffcomb.problems.own_arrays import whole_number
from diffcomb.problems.problem import CostGraph, Problem
from diffcomb.program import Program, Rows


class Matching(Problem):
    """min theta'z over the matchings z of an undirected graph, one cost per edge.

    Without `perfect`, a matching may leave nodes alone, so edges of positive cost are never used:
    pass theta = -gain. With `perfect`, every node is matched.
    Program: x(delta(v)) <= 1 (= 1), and lazily x(E(S)) <= (|S| - 1) / 2 for odd S: conv(Z)
    (Edmonds 1965), separated exactly (Padberg & Rao 1982).

    Args:
        edges: (n, 2) end points; no loops, no parallel edges.
        num_nodes: number of nodes; even if `perfect`.
        perfect: match every node.
    """

    default_oracle = "highs"

    def __init__(
        self, edges: Tensor | np.ndarray | list[tuple[int, int]], num_nodes: int, *, perfect: bool = False
    ) -> None:
        num_nodes = whole_number(num_nodes, "num_nodes", 1)
        pairs = end_points(edges, num_nodes, "Edge")
        if len(np.unique(np.sort(pairs, axis=1), axis=0)) < len(pairs):
            raise InvalidInstanceError("Parallel edges: keep the cheapest of each pair of nodes.")
        if perfect and num_nodes % 2:
            raise InvalidInstanceError(f"{num_nodes} nodes have no perfect matching: the number is odd.")
        self.tails, self.heads = pairs.min(axis=1), pairs.max(axis=1)
        self.num_nodes, self.perfect = num_nodes, perfect
        self.num_costs = len(pairs)
        self.cost_sign = 1 if perfect else -1

    def _degrees(self) -> sparse.csr_array:
        columns = np.arange(self.num_costs)
        ends = (np.concatenate([self.tails, self.heads]), np.concatenate([columns, columns]))
        return sparse.csr_array((np.ones(2 * self.num_costs), ends), shape=(self.num_nodes, self.num_costs))

    def is_feasible(self, z: Tensor) -> Tensor:
        chosen = (z > 0.5).to(torch.float64)
        binary = ((z - chosen.to(z.dtype)).abs() <= 1e-6).all(-1)
        incidence = torch.as_tensor(self._degrees().toarray(), device=z.device)
        degree = chosen @ incidence.T
        return binary & ((degree == 1) if self.perfect else (degree <= 1)).all(-1)

    def polytope(self) -> Program:
        degrees, ones = self._degrees(), np.ones(self.num_nodes)
        rows = {"A": degrees, "b": ones} if self.perfect else {"G": degrees, "h": ones}
        return Program.from_arrays(
            **rows, num_vars=self.num_costs, integral=True, separation=self._separate_odd_sets
        )

    def lazy_rows(self, z: np.ndarray) -> Rows:
        """Degrees alone decide which 0-1 points are matchings."""
        return Rows.empty(self.num_costs)

    def _separate_odd_sets(self, x: np.ndarray) -> Rows:
        sets = violated_odd_sets(self.tails, self.heads, x, self.num_nodes)
        supports = [np.flatnonzero(inside[self.tails] & inside[self.heads]) for inside in sets]
        h = [(inside.sum() - 1) / 2 for inside in sets]
        return Rows.from_lists(supports, [np.ones(len(s)) for s in supports], h, self.num_costs)

    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Uniform in (0, 1), negated unless perfect."""
        return self.cost_sign * torch.rand(batch, self.num_costs, generator=generator, dtype=dtype)

    def cost_graph(self) -> CostGraph:
        return CostGraph(torch.from_numpy(np.stack([self.tails, self.heads])), self.num_nodes)
