"""A PyG encoder that predicts the travel time of every link of a road network."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch
from torch_geometric.utils import scatter


class RoadEncoder(nn.Module):
    """time_a = free_a (1 + softplus(MLP(h_a) - 2)), h from messages between consecutive links.

        h_a <- h_a + MLP[h_a, mean of h entering a's tail, mean of h leaving a's head, x_tail, x_head]

    Times are never below free flow and start near it. Nothing depends on the size of the network or
    its units: a trained encoder reads any other.

    Args:
        node_features, edge_features: input widths; edge feature 0 is the free-flow time.
        hidden: width of all layers. Small underfits; large needs more data.
        num_layers: rounds of messages, how many links ahead and behind are seen.
        cost_sign: +1, times are costs.
    """

    def __init__(
        self,
        node_features: int,
        edge_features: int,
        hidden: int = 16,
        num_layers: int = 2,
        cost_sign: int = 1,
    ) -> None:
        super().__init__()
        self.cost_sign = cost_sign
        self.embed = nn.Sequential(nn.Linear(edge_features, hidden), nn.SiLU())
        width = 3 * hidden + 2 * node_features
        self.rounds = nn.ModuleList(
            nn.Sequential(nn.Linear(width, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
            for _ in range(num_layers)
        )
        self.readout = nn.Sequential(
            nn.Linear(hidden + edge_features, hidden), nn.SiLU(), nn.Linear(hidden, 1)
        )

    def link_times(self, batch: Batch) -> Tensor:
        """(all links of the batch,), hour by hour."""
        tails, heads = batch.edge_index
        nodes = batch.x.shape[0]
        h = self.embed(batch.edge_attr)
        ends = torch.cat([batch.x[tails], batch.x[heads]], dim=1)
        for messages in self.rounds:
            entering = scatter(h, heads, dim_size=nodes, reduce="mean")[tails]
            leaving = scatter(h, tails, dim_size=nodes, reduce="mean")[heads]
            h = h + messages(torch.cat([h, entering, leaving, ends], dim=1))
        delay = self.readout(torch.cat([h, batch.edge_attr], dim=1)).squeeze(1)
        times: Tensor = batch.edge_attr[:, 0] * (1 + nn.functional.softplus(delay - 2))
        return self.cost_sign * times

    def forward(self, batch: Batch) -> list[Tensor]:
        """theta (n_i,) of every trip, see `datamodules.roads.collate_trips`: trips of an hour share times."""
        times = self.link_times(batch)
        return [times[links] for links in batch.link_index]
