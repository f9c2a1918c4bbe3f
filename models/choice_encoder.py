"""A PyG encoder that reads the vertices of conflict graphs and predicts a cost per vertex and colour."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch
from torch_geometric.utils import scatter


class ChoiceEncoder(nn.Module):
    """theta[v, k] = sign * softplus(MLP(h[v, k])), h from mean aggregation over neighbours, colour by colour.

        h[v, k] <- h[v, k] + MLP[h[v, k], mean over u ~ v of h[u, k]],   h[v, k] = W [x_v, choice_vk] at first

    The same weights for all colours and all graphs: renaming colours renames the costs, and graphs of
    any size, with any number of colours, fit. Positive before the sign, as for `CostEncoder`.

    Args:
        node_features, edge_features: widths of x_v and choice_vk.
        hidden: width of all layers. Small underfits; large needs more data.
        num_layers: rounds of message passing; 0 predicts from the choice alone.
        cost_sign: as for `CostEncoder`.
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
        self.embed = nn.Linear(node_features + edge_features, hidden)
        self.updates = nn.ModuleList(
            nn.Sequential(nn.Linear(2 * hidden, hidden), nn.SiLU()) for _ in range(num_layers)
        )
        self.readout = nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1))

    def forward(self, batch: Batch) -> list[Tensor]:
        """PyG batch -> theta, one (N K,) vector a graph; see ChannelCostsDataModule for the fields."""
        sizes = [problem.num_costs for problem in batch.problem]
        parts = zip(batch.problem, batch.choices.split(sizes), batch.ptr.diff().tolist(), strict=True)
        # colours are a batch of their own; graphs with fewer are padded
        width = max(problem.num_colors for problem in batch.problem)
        choices = torch.cat(
            [
                nn.functional.pad(
                    part.reshape(count, problem.num_colors, -1), (0, 0, 0, width - problem.num_colors)
                )
                for problem, part, count in parts
            ]
        )
        h = self.embed(torch.cat([batch.x[:, None].expand(-1, width, -1), choices], dim=-1))
        tails, heads = batch.edge_index
        for update in self.updates:
            around = scatter(h[tails], heads, dim=0, dim_size=len(h), reduce="mean")
            h = h + update(torch.cat([h, around], dim=-1))
        theta = self.cost_sign * nn.functional.softplus(self.readout(h)).squeeze(-1)
        graphs = theta.split(batch.ptr.diff().tolist())
        return [
            table[:, : problem.num_colors].reshape(-1)
            for problem, table in zip(batch.problem, graphs, strict=True)
        ]
