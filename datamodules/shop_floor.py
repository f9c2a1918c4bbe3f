"""LightningDataModule for learned durations: operations as graph nodes, true durations, optimal schedules."""

from __future__ import annotations

import hashlib

import torch
from torch_geometric.data import Data

from datamodules.contextual_costs import ContextualCosts
from datamodules.learned_costs import LearnedCostsDataModule
from datamodules.shop_floor_durations import (
    OPERATION_FEATURES,
    RELATIONS,
    generate_shop_floor,
    operation_graph,
)
from diffcomb.errors import UnsupportedError
from diffcomb.oracles import Limits
from diffcomb.problems import JobShop, Problem


class ShopFloorDataModule(LearnedCostsDataModule):
    """Days of one job shop, generated, labelled with optimal schedules once and cached.

    Each item is a PyG `Data`: x (n, 9) of the operations, edge_index and edge_attr of
    `operation_graph`, costs (1, n) = durations, decisions (1, n) = optimal start times, positions.

    Args:
        problem: a JobShop.
        degree, noise: of the hidden durations; see `generate_shop_floor`.
        The others as for `LearnedCostsDataModule`.
    """

    problem: JobShop
    node_features, edge_features = len(OPERATION_FEATURES), len(RELATIONS)

    def __init__(
        self,
        problem: Problem,
        num_train: int = 100,
        num_val: int = 20,
        num_test: int = 100,
        batch_size: int = 10,
        degree: float = 2.0,
        noise: float = 0.1,
        seed: int = 0,
        cache_dir: str = "data/shop_floor",
        oracle: str | Limits = "auto",
    ) -> None:
        if not isinstance(problem, JobShop):
            raise UnsupportedError(f"A shop floor needs problem=jobshop, not {type(problem).__name__}.")
        super().__init__(
            problem, num_train, num_val, num_test, batch_size, degree, noise, seed, cache_dir, oracle
        )

    def instance_bytes(self) -> int:
        """Operations, and the edges between all that share a machine."""
        shop = self.problem
        edges = shop.num_costs * (2 + shop.num_costs / max(1, shop.num_machines))
        return int(4 * shop.num_costs * (self.node_features + 4) + 4 * edges * self.edge_features)

    def _fingerprint(self) -> str:
        shop = self.problem
        content = hashlib.sha256(f"{shop.criterion} {shop.ties}".encode())
        for part in (shop.job, shop.machine, shop.weights, shop.earliness_weights, shop.due_dates):
            content.update(part.tobytes())
        return content.hexdigest()

    def _draw(self, count: int, seed: int) -> ContextualCosts:
        return generate_shop_floor(self.problem, count, seed=seed, degree=self.degree, noise=self.noise)

    def _graphs(self, stored: dict[str, torch.Tensor]) -> list[Data]:
        edge_index, _ = operation_graph(self.problem)
        return [
            Data(
                x=stored["nodes"][i],
                edge_index=edge_index,
                edge_attr=stored["edges"][i],
                costs=stored["costs"][i][None],
                decisions=stored["decisions"][i][None],
                positions=stored["positions"][i],
            )
            for i in range(len(stored["costs"]))
        ]
