"""A problem of a user's own, known by its oracle alone, and data that lie nowhere."""

from __future__ import annotations

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from diffcomb.errors import UnsupportedError
from diffcomb.oracles import OracleAnswer
from diffcomb.problems import CostGraph, Limits, Polytope, Problem, register_oracle


class CheapestPair(Problem):
    """Two different of n items, cheapest in total."""

    default_oracle = "cheapest_pair"

    def __init__(self, num_items: int) -> None:
        self.num_costs = num_items

    def is_feasible(self, z: Tensor) -> Tensor:
        return ((z == 0) | (z == 1)).all(-1) & (z.sum(-1) == 2)

    def polytope(self) -> Polytope:
        raise UnsupportedError("CheapestPair is known by its oracle alone; use solver=vertices.")

    def random_costs(self, batch=1, *, generator=None, dtype=torch.float64) -> Tensor:
        return torch.rand(batch, self.num_costs, generator=generator, dtype=dtype)

    def cost_graph(self) -> CostGraph:
        items = torch.arange(self.num_costs)
        return CostGraph(torch.stack([items, items]), self.num_costs)


class CheapestPairOracle:
    name = "cheapest_pair"

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, CheapestPair)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        decisions = np.zeros_like(costs)
        np.put_along_axis(decisions, costs.argsort(-1)[:, :2], 1.0, axis=-1)
        return OracleAnswer.proven(decisions, costs)


register_oracle(CheapestPairOracle())


class Tables(pl.LightningDataModule):
    """Batches are dictionaries: x (batch, 3), costs and decisions (batch, n)."""

    def __init__(self, problem: CheapestPair, count: int = 24, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(count, 3, generator=generator)
        mixing = torch.randn(3, problem.num_costs, generator=generator)
        costs = (x @ mixing).exp()
        decisions = problem.solve(costs.double()).decision.float()
        names = ("x", "costs", "decisions")
        self.rows = [dict(zip(names, row, strict=True)) for row in zip(x, costs, decisions, strict=True)]

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.rows, batch_size=8)

    val_dataloader = test_dataloader = train_dataloader


class Linear(nn.Module):
    """theta = exp(W x)."""

    def __init__(self, num_costs: int) -> None:
        super().__init__()
        self.weights = nn.Linear(3, num_costs)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        return self.weights(batch["x"]).exp()
