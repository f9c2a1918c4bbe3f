"""LightningDataModule for learned colour costs: every instance has a graph of its own."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data

from datamodules.learned_costs import LearnedCostsDataModule
from datamodules.transmitters import (
    CHOICE_FEATURES,
    VERTEX_FEATURES,
    TransmitterNetworks,
    generate_channel_costs,
)
from diffcomb.oracles import Limits
from diffcomb.problems import GraphColoring


class ChannelCostsDataModule(LearnedCostsDataModule):
    """Networks of different size and shape, generated, labelled once and cached.

    Each item is a PyG `Data`: x (N, 2) of the vertices, edge_index (both directions of every
    conflict), choices (N K, 1), costs (N K,), decisions (N K,) = z*(costs), positions (N, 2), and its
    `problem`, a GraphColoring: batched, `problem` is a list and the others are joined end to end.

    Args:
        problem: the family that the graphs are drawn from.
        degree, noise: of the hidden cost; see `generate_channel_costs`.
        The others as for `LearnedCostsDataModule`.
    """

    problem: TransmitterNetworks  # type: ignore[assignment]
    decides = TransmitterNetworks
    node_features, edge_features = len(VERTEX_FEATURES), len(CHOICE_FEATURES)

    def __init__(
        self,
        problem: TransmitterNetworks,
        num_train: int = 200,
        num_val: int = 50,
        num_test: int = 200,
        batch_size: int = 20,
        degree: float = 3.0,
        noise: float = 0.2,
        seed: int = 0,
        cache_dir: str = "data/channel_costs",
        oracle: str | Limits = "auto",
    ) -> None:
        super().__init__(
            problem,  # type: ignore[arg-type]
            num_train,
            num_val,
            num_test,
            batch_size,
            degree,
            noise,
            seed,
            cache_dir,
            oracle,
        )

    def _fingerprint(self) -> str:
        return repr(self.problem)

    def instance_bytes(self) -> int:
        """Of a network of the largest size."""
        largest, channels = self.problem.largest, self.problem.num_channels
        edges = 2 * largest * max(1, int(self.problem.interference))
        return 4 * (largest * (self.node_features + 2) + 3 * largest * channels) + 16 * edges

    def _label(self, split: str, count: int, seed: int, *, progress: bool = False) -> dict[str, list[Tensor]]:
        """Lists with one tensor an instance: edges and positions of the graph, features, costs, decisions."""
        generator = torch.Generator().manual_seed(seed)
        stored: dict[str, list[Tensor]] = {}
        for _ in range(count):
            problem, positions = self.problem.draw_placed(generator)
            drawn = generate_channel_costs(
                problem, positions, generator, degree=self.degree, noise=self.noise
            )
            label = self._decide(problem, drawn["costs"])
            parts = {"edges": torch.from_numpy(problem.edges), "positions": positions, "decisions": label}
            for name, part in (parts | drawn).items():
                stored.setdefault(name, []).append(part)
        return stored

    def _graphs(self, stored: dict[str, list[Tensor]]) -> list[Data]:  # type: ignore[override]
        graphs = []
        for i, edges in enumerate(stored["edges"]):
            positions = stored["positions"][i]
            problem = GraphColoring(edges, len(positions), self.problem.num_channels, name="transmitters")
            graphs.append(
                Data(
                    x=stored["vertices"][i],
                    edge_index=torch.cat([edges.T, edges.T.flip(0)], dim=1),
                    choices=stored["choices"][i],
                    costs=stored["costs"][i],
                    decisions=stored["decisions"][i],
                    positions=positions,
                    problem=problem,
                )
            )
        return graphs
