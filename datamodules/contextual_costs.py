"""Synthetic learned-routing data: context a dispatcher would see, and the travel cost it hides.

Nodes lie in the plane around a city centre. Per instance: a departure time, rain and a vehicle load.
Per edge: its length, a road class and a noisy traffic reading. The true cost of edge e is

    c_e = length_e * pace[class_e]
          * (1 + congestion_e) ** degree         congestion: rush hour x closeness to the centre x traffic
          * (1 + rain * exposure[class_e])       rain hurts minor roads most
          * (1 + load * climb_e)                 heavy vehicles suffer on slopes
          * exp(noise * standard normal - noise^2 / 2)

The encoder sees length, class, time, rain, load and a *noisy* traffic reading, not the congestion,
the slope or the noise: no model of the features can express c exactly. Costs of problems that
maximise carry the sign of `problem.cost_sign`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from diffcomb.problems import Problem, TravelingSalesman

#: minutes per unit length, and sensitivity to rain, of motorway, main road, side street
_PACE = torch.tensor([0.6, 1.0, 1.7])
_EXPOSURE = torch.tensor([0.1, 0.3, 0.9])

NODE_FEATURES = ("x", "y", "closeness to the centre", "elevation reading")
EDGE_FEATURES = (
    "length",
    "motorway",
    "main road",
    "side street",
    "traffic reading",
    "sin(time of day)",
    "cos(time of day)",
    "rain",
    "load",
)


@dataclass(frozen=True)
class ContextualCosts:
    """A batch of instances that share one graph.

    Features of nodes (batch, num_nodes, .) and edges (batch, num_edges, .), costs (batch, n), all
    float32; positions (batch, num_nodes, 2) for pictures.
    """

    nodes: Tensor
    edges: Tensor
    costs: Tensor
    positions: Tensor


def generate_contextual_costs(
    problem: Problem, count: int, *, seed: int, degree: float = 5.0, noise: float = 0.2
) -> ContextualCosts:
    """Draw `count` instances.

    Args:
        problem: gives the cost graph; grid problems keep their grid positions.
        seed: the same seed gives the same data.
        degree: exponent of congestion. 1: mild; 4: a few edges cost ten times the typical one.
        noise: standard deviation of the log of the multiplicative noise. 0: none.
    """
    generator = torch.Generator().manual_seed(seed)
    graph = problem.cost_graph()
    tails, heads = graph.edge_index
    n = problem.num_costs

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    positions = _positions(problem, count, graph.num_nodes, uniform)
    centre = 0.3 + 0.4 * uniform(count, 1, 2)
    closeness = torch.exp(-8.0 * (positions - centre).square().sum(-1))
    elevation = uniform(count, graph.num_nodes)

    length = torch.linalg.vector_norm(positions[:, tails] - positions[:, heads], dim=-1)
    # an item of a knapsack is a self-loop: its "length" is a size of its own
    length = torch.where(tails == heads, 0.3 + 0.4 * uniform(count, n), length) + 0.02
    # long edges tend to be motorways, short ones side streets
    preference = torch.stack([3 * length, torch.full_like(length, 0.8), 1.2 - length], dim=-1).clamp_min(0.05)
    road = torch.multinomial(preference.reshape(-1, 3), 1, generator=generator).reshape(count, n)
    hour = 24 * uniform(count, 1)
    rush = torch.exp(-((hour - 8).square()) / 6) + torch.exp(-((hour - 17.5).square()) / 8)
    rain, load = uniform(count, 1).square(), uniform(count, 1)
    traffic = uniform(count, n).square()

    along = (closeness[:, tails] + closeness[:, heads]) / 2
    congestion = 0.25 * traffic + 0.9 * (0.2 + rush) * along * traffic.sqrt()
    climb = (
        (elevation[:, heads] - elevation[:, tails]).abs() if graph.num_nodes > 1 else torch.zeros(count, n)
    )
    log_noise = noise * torch.randn(count, n, generator=generator) - noise**2 / 2
    costs = length * _PACE[road] * (1 + congestion) ** degree
    costs = costs * (1 + rain * _EXPOSURE[road]) * (1 + load * climb) * log_noise.exp()

    reading = (traffic + 0.1 * torch.randn(count, n, generator=generator)).clamp(0, 1.5)
    elevation_reading = elevation + 0.1 * torch.randn(count, graph.num_nodes, generator=generator)
    angle = 2 * torch.pi * hour / 24
    per_instance = torch.cat([angle.sin(), angle.cos(), rain, load], dim=1)
    edges = torch.cat(
        [
            length[..., None],
            torch.nn.functional.one_hot(road, 3).to(length.dtype),
            reading[..., None],
            per_instance[:, None].expand(count, n, 4),
        ],
        dim=-1,
    )
    nodes = torch.cat([positions, closeness[..., None], elevation_reading[..., None]], dim=-1)
    return ContextualCosts(nodes, edges, problem.cost_sign * costs, positions)


def _positions(problem: Problem, count: int, num_nodes: int, uniform: object) -> Tensor:
    """(count, num_nodes, 2): cities are drawn anew per instance, other graphs keep one layout."""
    assert callable(uniform)
    grid_shape = getattr(problem, "grid_shape", None)
    if grid_shape is not None:
        rows, cols = grid_shape
        cells = torch.cartesian_prod(torch.linspace(1, 0, rows), torch.linspace(0, 1, cols)).flip(-1)
        return cells.expand(count, -1, -1)
    if isinstance(problem, TravelingSalesman):
        drawn: Tensor = uniform(count, num_nodes, 2)
        return drawn
    return uniform(1, num_nodes, 2).expand(count, -1, -1)
