"""A PyG encoder that predicts one duration per operation of a job shop."""

from __future__ import annotations

from torch import Tensor, nn
from torch_geometric.data import Batch

from models.gine import gine_convolutions, pass_messages


class OperationEncoder(nn.Module):
    """theta_i = sign * nominal_i * softplus(MLP(h_i)), h from GINE layers over the operations of a shop.

    Nodes are operations; edges lead along jobs, back, and between operations of one machine, their
    relation in the edge features, so that a machine's operations share what their features say of it.
    Positive by construction, as durations must be. The network predicts by which factor an operation
    exceeds its nominal time: durations span a wide range, the factor does not.

    Args:
        node_features, edge_features: input widths.
        hidden: width of all layers. Small underfits; large needs more data.
        num_layers: rounds of message passing; 0 predicts from the operation alone.
        cost_sign: as for `CostEncoder`.
        nominal: the column of x that holds nominal durations; None: there are none, theta_i without them.
    """

    def __init__(
        self,
        node_features: int,
        edge_features: int,
        hidden: int = 16,
        num_layers: int = 1,
        cost_sign: int = 1,
        nominal: int | None = 0,
    ) -> None:
        super().__init__()
        self.cost_sign, self.nominal = cost_sign, nominal
        self.embed = nn.Linear(node_features, hidden)
        self.convolutions = gine_convolutions(hidden, edge_features, num_layers)
        self.readout = nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1))

    def forward(self, batch: Batch) -> Tensor:
        """PyG batch -> theta (batch, n); see ShopFloorDataModule for the fields."""
        h = pass_messages(self.convolutions, self.embed(batch.x), batch)
        factor: Tensor = nn.functional.softplus(self.readout(h)[:, 0])
        theta = factor if self.nominal is None else factor * batch.x[:, self.nominal]
        return self.cost_sign * theta.reshape(batch.num_graphs, -1)
