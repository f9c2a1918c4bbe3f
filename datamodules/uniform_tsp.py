"""Tours whose costs are known: uniform cities, Euclidean lengths. What neural solvers train on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from datamodules.cache import cache_key
from datamodules.contextual_costs import ContextualCosts
from datamodules.learned_costs import LearnedCostsDataModule
from diffcomb.errors import UnsupportedError
from diffcomb.oracles import Limits
from diffcomb.problems import Problem, TravelingSalesman


class UniformTSPDataModule(LearnedCostsDataModule):
    """Cities uniform in the unit square; node features are coordinates, the edge feature is the length.

    Nothing is hidden: `costs` are the edge feature. Fields as in LearnedCostsDataModule; validation
    and test sets carry optimal tours, the training set only if `label_train`.

    Args:
        problem: a TravelingSalesman; its number of cities counts.
        label_train: solve the training set as well, for losses that need optimal decisions.
    """

    node_features, edge_features = 2, 1

    def __init__(
        self,
        problem: Problem,
        num_train: int = 360,
        num_val: int = 20,
        num_test: int = 50,
        batch_size: int = 3,
        seed: int = 0,
        cache_dir: str = "data/uniform_tsp",
        oracle: str | Limits = "auto",
        label_train: bool = False,
    ) -> None:
        if not isinstance(problem, TravelingSalesman):
            raise UnsupportedError(
                f"UniformTSPDataModule draws cities, which {type(problem).__name__} does not have;"
                " use problem=tsp or datamodule=learned_costs."
            )
        super().__init__(
            problem, num_train, num_val, num_test, batch_size, seed=seed, cache_dir=cache_dir, oracle=oracle
        )
        self.label_train = label_train
        if not label_train:
            self.supervision = ("costs",)

    def cache_file(self, split: str) -> Path:
        cities = self.problem.cost_graph().num_nodes
        labelled = "" if split != "train" or self.label_train else "-unlabelled"
        if quality := self._label_quality():
            labelled += f"-{cache_key(quality)}"
        return self.cache_dir / f"cities{cities}-{split}-{self.counts[split]}-seed{self.seed}{labelled}.pt"

    def _label(self, split: str, count: int, seed: int, *, progress: bool = False) -> dict[str, Any]:
        problem = self.problem
        generator = torch.Generator().manual_seed(seed)
        graph = problem.cost_graph()
        points = torch.rand(count, graph.num_nodes, 2, generator=generator)
        tails, heads = graph.edge_index
        lengths = torch.linalg.vector_norm(points[:, tails] - points[:, heads], dim=-1)
        decisions = torch.zeros_like(lengths)
        if split != "train" or self.label_train:
            decisions = self._decide(problem, lengths, progress=progress)
        drawn = ContextualCosts(points, lengths[..., None], lengths, points)
        return {**vars(drawn), "decisions": decisions}
