"""The two networks of DIMES: edge embeddings from an anisotropic GNN, one logit an edge from an MLP."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class EmbNet(nn.Module):
    """Edge embeddings (Qiu, Sun & Yang 2022, arXiv:2210.04123; layers of Bresson & Laurent 2018).

    h_0 = silu(L x), e_0 = silu(L d), then in every layer, from the old h and e,
        h_i <- h_i + silu(BN(U h_i + mean_j sigmoid(e_ij) * V h_j))
        e_ij <- e_ij + silu(BN(E e_ij + A h_i + B h_j)),   j over the k neighbours of i.

    Args:
        width: of all layers. num_layers: rounds of message passing; the published size is 12 x 32.
    """

    def __init__(self, node_features: int = 2, width: int = 32, num_layers: int = 12) -> None:
        super().__init__()
        self.embed_nodes, self.embed_edges = nn.Linear(node_features, width), nn.Linear(1, width)
        self.layers = nn.ModuleList(_AnisotropicLayer(width) for _ in range(num_layers))

    def forward(self, nodes: Tensor, neighbours: Tensor, lengths: Tensor) -> Tensor:
        """nodes (batch, N, features), neighbours and lengths (batch, N, k) -> (batch, N, k, width)."""
        h = nn.functional.silu(self.embed_nodes(nodes))
        e = nn.functional.silu(self.embed_edges(lengths[..., None]))
        for layer in self.layers:
            h, e = layer(h, e, neighbours)
        return e


class _AnisotropicLayer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.U, self.V, self.A, self.B, self.E = (nn.Linear(width, width) for _ in range(5))
        self.norm_nodes, self.norm_edges = nn.BatchNorm1d(width), nn.BatchNorm1d(width)

    def forward(self, h: Tensor, e: Tensor, neighbours: Tensor) -> tuple[Tensor, Tensor]:
        batch = torch.arange(len(h), device=h.device)[:, None, None]
        messages = (torch.sigmoid(e) * self.V(h)[batch, neighbours]).mean(2)
        new_h = self.U(h) + messages
        new_e = self.E(e) + self.A(h)[:, :, None] + self.B(h)[batch, neighbours]
        return (
            h + nn.functional.silu(_normalize(self.norm_nodes, new_h)),
            e + nn.functional.silu(_normalize(self.norm_edges, new_e)),
        )


def _normalize(norm: nn.BatchNorm1d, x: Tensor) -> Tensor:
    flat: Tensor = norm(x.reshape(-1, x.shape[-1]))
    return flat.reshape(x.shape)


class ParNet(nn.Module):
    """theta_ij = MLP(e_ij), width-width-width-1 with SiLU; weights may be one set an instance."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        layers = [nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, 1)]
        self.weights = nn.ParameterList([p for layer in layers for p in (layer.weight, layer.bias)])

    def copies(self, batch: int) -> list[Tensor]:
        """The weights, once for each instance: (batch, out, in) and (batch, out), detached."""
        return [w.detach().expand(batch, *w.shape).clone() for w in self.weights]

    def forward(self, embedding: Tensor, weights: Sequence[Tensor] | None = None) -> Tensor:
        """(batch, N, k, width) -> logits (batch, N, k), with `weights` of `copies` or its own."""
        batch, n, k, width = embedding.shape
        ws = list(self.weights) if weights is None else list(weights)
        h = embedding.reshape(batch, n * k, width)
        for layer in range(0, len(ws), 2):
            bias = ws[layer + 1] if weights is None else ws[layer + 1][:, None]
            h = h @ ws[layer].transpose(-1, -2) + bias
            if layer + 2 < len(ws):
                h = nn.functional.silu(h)
        return h.reshape(batch, n, k)
