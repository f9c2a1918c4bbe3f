"""The linear assignment problem."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.problems.own_arrays import whole_number
from diffcomb.problems.problem import CostGraph, Problem
from diffcomb.program import Program


class Assignment(Problem):
    """min theta'z over permutation matrices z of size `size`, flattened row by row.

    theta[i * size + j] is the cost of giving job j to worker i. Program: doubly stochastic
    matrices, which is conv(Z) (Birkhoff 1946); the last column sum is redundant and left out.

    Args:
        size: number of workers = number of jobs, at least 1.
    """

    default_oracle = "hungarian"
    structure = ("size",)

    def __init__(self, size: int) -> None:
        self.size = whole_number(size, "size", 1)
        self.num_costs = self.size**2

    def permutation(self, z: Tensor) -> Tensor:
        """Decision z (..., n) -> job of each worker (..., size)."""
        return z.reshape(*z.shape[:-1], self.size, self.size).argmax(-1)

    def is_feasible(self, z: Tensor) -> Tensor:
        chosen = (z > 0.5).to(z.dtype)
        binary = ((z - chosen).abs() <= 1e-6).all(-1)
        matrix = chosen.reshape(*z.shape[:-1], self.size, self.size)
        return binary & (matrix.sum(-1) == 1).all(-1) & (matrix.sum(-2) == 1).all(-1)

    def polytope(self) -> Program:
        identity, ones = sparse.eye_array(self.size), np.ones((1, self.size))
        rows = sparse.kron(identity, ones)
        columns = sparse.csr_array(sparse.kron(ones, identity))[: self.size - 1]
        A = sparse.vstack([rows, columns])
        return Program.from_arrays(A, np.ones(A.shape[0]), num_vars=self.num_costs, integral=True)

    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Uniform in (0, 1)."""
        return torch.rand(batch, self.num_costs, generator=generator, dtype=dtype)

    def cost_graph(self) -> CostGraph:
        workers = torch.arange(self.size).repeat_interleave(self.size)
        jobs = torch.arange(self.size).repeat(self.size) + self.size
        return CostGraph(torch.stack([workers, jobs]), 2 * self.size)
