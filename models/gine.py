"""Rounds of GINE message passing, shared by the encoders over edges and over operations."""

from __future__ import annotations

from torch import Tensor, nn
from torch_geometric.data import Batch
from torch_geometric.nn import GINEConv


def gine_convolutions(hidden: int, edge_features: int, num_layers: int) -> nn.ModuleList:
    """Layers that see edge features in their messages (Hu et al. 2020, arXiv:1905.12265)."""
    return nn.ModuleList(
        GINEConv(nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU()), edge_dim=edge_features, eps=0.0)
        for _ in range(num_layers)
    )


def pass_messages(convolutions: nn.ModuleList, h: Tensor, batch: Batch) -> Tensor:
    """h <- h + convolution(h) / mean degree, layer by layer; h: (nodes, hidden)."""
    degree = batch.edge_index.shape[1] / max(1, batch.x.shape[0])
    for convolution in convolutions:
        # sums over neighbours scaled to means: the graph's density must not set the magnitude
        h = h + convolution(h, batch.edge_index, batch.edge_attr) / max(1.0, degree)
    return h
