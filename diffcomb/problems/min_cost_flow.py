"""Minimum-cost flow with unit capacities."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems.end_points import end_points
from diffcomb.problems.own_arrays import real_numbers
from diffcomb.problems.problem import CostGraph, Problem
from diffcomb.program import Program


class MinCostFlow(Problem):
    """min theta'z over 0-1 flows: out(v) - in(v) = supply_v at every node.

    An arc of capacity k is k parallel arcs. Program: conservation with arcs in [0, 1]: conv(Z),
    since network matrices are totally unimodular; the last row is redundant and left out.

    Args:
        edges: (n, 2) arcs (tail, head); parallel arcs allowed, self-loops not.
        supplies: (num_nodes,) integers that sum to 0; negative = demand.
    """

    default_oracle = "highs"
    structure = ("num_nodes", "tails", "heads")

    def __init__(
        self, edges: Tensor | np.ndarray | list[tuple[int, int]], supplies: Tensor | np.ndarray | list[int]
    ) -> None:
        self.supplies = real_numbers(supplies, "supplies")
        if self.supplies.ndim != 1:
            raise InvalidInstanceError(f"supplies must have shape (num_nodes,), got {self.supplies.shape}.")
        self.num_nodes = len(self.supplies)
        arcs = end_points(edges, self.num_nodes)
        if (self.supplies != np.round(self.supplies)).any() or self.supplies.sum() != 0:
            raise InvalidInstanceError("supplies must be integers that sum to 0.")
        self.tails, self.heads = arcs[:, 0].copy(), arcs[:, 1].copy()
        self.num_costs = len(arcs)

    def _incidence(self) -> sparse.csr_array:
        arcs = np.arange(self.num_costs)
        ends = (np.concatenate([self.tails, self.heads]), np.concatenate([arcs, arcs]))
        signs = np.concatenate([np.ones(self.num_costs), -np.ones(self.num_costs)])
        return sparse.csr_array((signs, ends), shape=(self.num_nodes, self.num_costs))

    def is_feasible(self, z: Tensor) -> Tensor:
        chosen = (z > 0.5).to(torch.float64)
        binary = ((z - chosen.to(z.dtype)).abs() <= 1e-6).all(-1)
        incidence = torch.as_tensor(self._incidence().toarray(), device=z.device)
        supplies = torch.as_tensor(self.supplies, device=z.device)
        return binary & (chosen @ incidence.T == supplies).all(-1)

    def polytope(self) -> Program:
        kept = slice(0, self.num_nodes - 1)
        return Program.from_arrays(
            self._incidence()[kept], self.supplies[kept], num_vars=self.num_costs, integral=True
        )

    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Uniform in (0.1, 1.1)."""
        return 0.1 + torch.rand(batch, self.num_costs, generator=generator, dtype=dtype)

    def cost_graph(self) -> CostGraph:
        return CostGraph(torch.from_numpy(np.stack([self.tails, self.heads])), self.num_nodes)
