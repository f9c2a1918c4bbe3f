"""The knapsack problem with several resource rows (resource allocation)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems.knapsack.whole_units import whole_units
from diffcomb.problems.own_arrays import real_numbers, whole_number
from diffcomb.problems.problem import CostGraph, Problem
from diffcomb.program import Program


class Knapsack(Problem):
    """min theta'z subject to W z <= capacity, z in {0,1}^n.

    As everywhere in this package theta is a cost to minimise: pass theta = -value to pack the most
    valuable items. Program: the same rows over [0,1]^n, an outer relaxation of conv(Z) with
    fractional vertices.

    Args:
        weights: (n,) for one resource, (rows, n) for several; not negative. Whole numbers are added without
            rounding; decimals may exceed the capacity by what writing them down in float64 costs.
        capacity: a number, or (rows,); not negative.
    """

    default_oracle = "knapsack"
    cost_sign = -1
    structure = ("weights",)

    def __init__(
        self,
        weights: Tensor | np.ndarray | list[float],
        capacity: Tensor | np.ndarray | list[float] | float,
    ) -> None:
        self.weights = np.atleast_2d(real_numbers(weights, "weights"))
        self.capacity = np.atleast_1d(real_numbers(capacity, "capacity"))
        if self.weights.ndim != 2 or self.weights.size == 0:
            raise InvalidInstanceError("weights must have shape (n,) or (rows, n).")
        if self.capacity.shape != (self.weights.shape[0],):
            raise InvalidInstanceError(
                f"{self.weights.shape[0]} rows of weights need as many capacities,"
                f" got shape {self.capacity.shape}."
            )
        if not (np.isfinite(self.weights).all() and np.isfinite(self.capacity).all()):
            raise InvalidInstanceError("weights and capacity must be finite.")
        if self.weights.min() < 0 or self.capacity.min() < 0:
            raise InvalidInstanceError("weights and capacity must not be negative.")
        self.num_costs = self.weights.shape[1]
        #: the same rows in whole numbers, which decide what fits
        self.units = whole_units(self.weights, self.capacity)

    @classmethod
    def random(
        cls, num_items: int, num_resources: int = 1, *, tightness: float = 0.5, seed: int = 0
    ) -> Knapsack:
        """Integer weights uniform in 3..8, capacity = tightness x total weight of each resource.

        Args:
            tightness: in (0, 1); small leaves room for few items.
        """
        num_items = whole_number(num_items, "num_items", 1)
        num_resources = whole_number(num_resources, "num_resources", 1)
        if not 0 < tightness < 1:
            raise InvalidInstanceError(f"tightness must lie in (0, 1), got {tightness}.")
        weights = np.random.default_rng(seed).integers(3, 9, (num_resources, num_items))
        return cls(weights, np.floor(tightness * weights.sum(1)))

    def is_feasible(self, z: Tensor) -> Tensor:
        chosen = (z > 0.5).to(torch.float64)
        binary = ((z - chosen.to(z.dtype)).abs() <= 1e-6).all(-1)
        weights, room = (torch.as_tensor(part, device=z.device) for part in self.units[:2])
        return binary & (chosen @ weights.T <= room).all(-1)

    def polytope(self) -> Program:
        return Program.from_arrays(G=self.weights, h=self.capacity, num_vars=self.num_costs, integral=False)

    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Minus values that are the mean weight of an item times uniform (0.5, 1.5)."""
        spread = 0.5 + torch.rand(batch, self.num_costs, generator=generator, dtype=dtype)
        mean_weight = torch.as_tensor(self.weights.mean(0), dtype=dtype).clamp_min(1e-3)
        return -mean_weight * spread

    def cost_graph(self) -> CostGraph:
        items = torch.arange(self.num_costs)
        return CostGraph(torch.stack([items, items]), self.num_costs)
