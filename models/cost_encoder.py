"""A PyG encoder that predicts one cost per edge of the cost graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

from models.gine import gine_convolutions, pass_messages


class CostEncoder(nn.Module):
    """theta_e = sign * softplus(MLP[h_u + h_v, |h_u - h_v|, edge_attr_e]), h from GINE layers.

    GINE (Hu et al. 2020, arXiv:1905.12265) sees edge features in its messages; sum and absolute
    difference make undirected costs symmetric in their end points. Positive costs before the sign:
    shortest paths then never meet a negative cycle.

    Args:
        node_features, edge_features: input widths.
        hidden: width of all layers. Small underfits; large needs more data.
        num_layers: rounds of message passing; 0 predicts from the edge and its end points alone.
        cost_sign: +1 costs, -1 negated gains.
    """

    def __init__(
        self,
        node_features: int,
        edge_features: int,
        hidden: int = 16,
        num_layers: int = 1,
        cost_sign: int = 1,
    ) -> None:
        super().__init__()
        self.cost_sign = cost_sign
        self.embed_nodes = nn.Linear(node_features, hidden)
        self.convolutions = gine_convolutions(hidden, edge_features, num_layers)
        self.readout = nn.Sequential(
            nn.Linear(2 * hidden + edge_features, hidden), nn.SiLU(), nn.Linear(hidden, 1)
        )

    def forward(self, batch: Batch) -> Tensor:
        """PyG batch -> theta (batch, n); see LearnedCostsDataModule for the fields."""
        h = pass_messages(self.convolutions, self.embed_nodes(batch.x), batch)
        is_cost = self._cost_columns(batch)
        u, v = batch.edge_index[:, is_cost]
        features = torch.cat([h[u] + h[v], (h[u] - h[v]).abs(), batch.edge_attr[is_cost]], dim=1)
        theta = nn.functional.softplus(self.readout(features)).reshape(batch.num_graphs, -1)
        return self.cost_sign * theta

    @staticmethod
    def _cost_columns(batch: Batch) -> Tensor:
        """Columns of the batched edge_index that carry costs, instance by instance."""
        edges_before = batch._slice_dict["edge_index"][:-1].to(batch.x.device)
        per_graph = batch.cost_edges.reshape(batch.num_graphs, -1)
        return (per_graph + edges_before[:, None]).reshape(-1)
