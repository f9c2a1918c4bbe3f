"""Trips through one road network: a shortest path problem each, on the part of the network that matters."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems import ShortestPath
from diffcomb.traffic import RoadNetwork

#: time per unit of toll and of length that drivers count, as published with the network
_WEIGHTS = {"Chicago-Sketch": {"toll_weight": 0.02, "distance_weight": 0.04}}


@dataclass(frozen=True)
class Trip:
    """From zone `origin` to zone `destination`; cost k of `problem` is the time of network link links[k]."""

    origin: int
    destination: int
    problem: ShortestPath
    links: np.ndarray


@dataclass(frozen=True)
class RoadTrips:
    """The family of trips in a network; see `ProblemFamily`.

    A trip's problem keeps the links of routes at most `detour` times as long as the shortest at free
    flow. Traffic only slows links down, so a route in it that takes at most `detour` times the shortest
    free-flow time is the fastest of the whole network.

    Args:
        network: a folder of `folder`/roads (Anaheim, SiouxFalls, ...), or "grid" for a generated town.
        folder: data folder, by default $DIFFCOMB_DATA.
        detour: above 1. Small: tiny problems that may miss the best route; large: the whole network.
        rows, cols, town: of the grid, and its seed.
    """

    network: str = "grid"
    folder: str = "data"
    detour: float = 1.5
    rows: int = 6
    cols: int = 6
    town: int = 0
    cost_sign: ClassVar[int] = 1
    _kept: dict[tuple[int, int], Trip] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.detour <= 1:
            raise InvalidInstanceError(f"detour must be above 1, got {self.detour}.")

    def elsewhere(self, network: str) -> RoadTrips:
        """The same family in another network; another town if both are grids."""
        town = self.town + 1 if network == self.network == "grid" else self.town
        return replace(self, network=network, town=town)

    @cached_property
    def _read(self) -> tuple[RoadNetwork, np.ndarray]:
        if self.network == "grid":
            return RoadNetwork.grid(self.rows, self.cols, seed=self.town)
        return RoadNetwork.from_tntp(
            Path(self.folder) / "roads" / self.network, **_WEIGHTS.get(self.network, {})
        )

    @property
    def roads(self) -> RoadNetwork:
        return self._read[0]

    @property
    def roads_ends(self) -> np.ndarray:
        """(2, links) tails and heads."""
        return np.stack([self.roads.tails, self.roads.heads])

    @property
    def demand(self) -> np.ndarray:
        """(zones, zones), of the hour the file describes; nothing on the diagonal."""
        demand = self._read[1].copy()
        np.fill_diagonal(demand, 0.0)
        return demand

    @cached_property
    def _distances(self) -> tuple[np.ndarray, np.ndarray]:
        """Free-flow time from every zone to every node, and from every node to every zone, by zone."""
        roads = self.roads
        zones, free = np.arange(roads.num_zones), roads.free_flow_time
        back = replace(roads, tails=roads.heads, heads=roads.tails)
        return roads.trees(zones, free)[0], back.trees(zones, free)[0]

    def trip(self, origin: int, destination: int) -> Trip:
        """One object per pair, however often it is asked for: layers keep a solver per problem."""
        if (origin, destination) not in self._kept:
            self._kept[origin, destination] = self._corridor(origin, destination)
        return self._kept[origin, destination]

    def _corridor(self, origin: int, destination: int) -> Trip:
        roads, (away, towards) = self.roads, self._distances
        tails, heads = roads.tails, roads.heads
        length = away[origin][tails] + roads.free_flow_time + towards[destination][heads]
        kept = length <= self.detour * away[origin, destination] + 1e-9
        kept &= (tails >= roads.first_thru_node) | (tails == origin)
        kept &= (heads >= roads.first_thru_node) | (heads == destination)
        kept &= (heads != origin) & (tails != destination)
        links = np.flatnonzero(kept)
        nodes = np.unique(np.concatenate([tails[links], heads[links], [origin, destination]]))
        index = np.full(roads.num_nodes, -1)
        index[nodes] = np.arange(len(nodes))
        edges = np.stack([index[tails[links]], index[heads[links]]], axis=1)
        problem = ShortestPath(edges, len(nodes), int(index[origin]), int(index[destination]))
        return Trip(origin, destination, problem, links)

    def pairs(self, count: int, generator: torch.Generator) -> list[tuple[int, int]]:
        """`count` different pairs by the square root of their demand, none of the shortest third."""
        away = self._distances[0][:, : self.roads.num_zones]
        demand = self.demand
        candidates = demand > 0
        candidates &= away > np.quantile(away[candidates], 1 / 3)
        origins, destinations = np.nonzero(candidates)
        if len(origins) < count:
            raise InvalidInstanceError(f"{self.roads.name} has {len(origins)} long trips, not {count}.")
        weight = torch.from_numpy(np.sqrt(demand[origins, destinations]))
        drawn = torch.multinomial(weight, count, generator=generator).numpy()
        return [(int(origins[k]), int(destinations[k])) for k in drawn]

    def draw(self, generator: torch.Generator) -> ShortestPath:
        """The problem of one trip drawn by demand."""
        (pair,) = self.pairs(1, generator)
        return self.trip(*pair).problem
