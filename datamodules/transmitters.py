"""Transmitters in the plane that share a few channels: graphs, readings and a hidden cost.

Two transmitters closer than a radius interfere and need different channels: a graph colouring. On
channel k, foreign stations are heard with strength f_k(place), a sum of Gaussian bumps. The true
cost of giving channel k to transmitter v is

    c[v, k] = load_v * (0.3 + f_k(v)) ** degree * exp(noise * standard normal - noise^2 / 2)

The encoder sees load, number of neighbours, and a *noisy* reading of f_k at every transmitter:
neighbours hear much the same, so their readings help.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems import Graph, GraphColoring
from diffcomb.problems.coloring.dsatur import dsatur

VERTEX_FEATURES = ("load", "neighbours")
CHOICE_FEATURES = ("reading",)
#: draws of one graph before its parameters are called hopeless
_ATTEMPTS = 200


@dataclass(frozen=True)
class TransmitterNetworks:
    """The family of `draw`n graphs; see `ProblemFamily`.

    Args:
        num_channels: K.
        smallest, largest: number of transmitters, uniform between them.
        interference: mean number of neighbours, about. Near K: few colourings, hard to read; small:
            the cheapest channel of each transmitter on its own.
    """

    num_channels: int = 5
    smallest: int = 16
    largest: int = 28
    interference: float = 4.0
    cost_sign: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not 1 <= self.smallest <= self.largest or self.num_channels < 1 or self.interference < 0:
            raise InvalidInstanceError(
                "A network needs 1 <= smallest <= largest, num_channels at least 1 and interference >= 0, got"
                f" {self.smallest}, {self.largest}, {self.num_channels} and {self.interference}."
            )

    def draw(self, generator: torch.Generator) -> GraphColoring:
        """A graph that DSATUR can colour with the channels there are."""
        return self.draw_placed(generator)[0]

    def draw_placed(self, generator: torch.Generator) -> tuple[GraphColoring, Tensor]:
        """As `draw`, with the positions (N, 2) in the unit square."""
        for _ in range(_ATTEMPTS):
            size = int(torch.randint(self.smallest, self.largest + 1, (), generator=generator))
            positions = torch.rand(size, 2, generator=generator)
            radius = (self.interference / (torch.pi * size)) ** 0.5
            close = torch.cdist(positions, positions) < radius
            edges = close.triu(1).nonzero().numpy()
            if dsatur(Graph(size, edges), repeats=1).max() < self.num_channels:
                return GraphColoring(edges, size, self.num_channels, name="transmitters"), positions
        raise InvalidInstanceError(
            f"No colourable graph in {_ATTEMPTS} draws from {self}; raise num_channels or lower interference."
        )


def generate_channel_costs(
    problem: GraphColoring, positions: Tensor, generator: torch.Generator, *, degree: float, noise: float
) -> dict[str, Tensor]:
    """Features and hidden costs of one network.

    Args:
        degree: exponent of the foreign stations. 1: mild; 3: few choices cost ten times the others.
        noise: standard deviation of the log of the multiplicative noise. 0: none.

    Returns:
        vertices (N, 2), choices (N K, 1), costs (N K,): all float32, choices ordered as the costs.
    """
    size, channels = problem.num_vertices, problem.num_colors
    stations = torch.rand(channels, 3, 2, generator=generator)
    power = 0.4 + torch.rand(channels, 3, generator=generator)
    apart = (positions[:, None, None] - stations).square().sum(-1)  # (N, K, 3)
    heard = (power * torch.exp(-apart / (2 * 0.25**2))).sum(-1)
    load = 0.5 + torch.rand(size, generator=generator)
    log_noise = noise * torch.randn(size, channels, generator=generator) - noise**2 / 2
    costs = load[:, None] * (0.3 + heard) ** degree * log_noise.exp()
    reading = heard + 0.3 * torch.randn(size, channels, generator=generator)
    neighbours = torch.from_numpy(problem.graph.degrees).float() / 5
    return {
        "vertices": torch.stack([load, neighbours], dim=1),
        "choices": reading.reshape(-1, 1),
        "costs": costs.reshape(-1),
    }
