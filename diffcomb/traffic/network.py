"""A road network whose links get slower as they fill."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from diffcomb.data import read_tntp_coordinates, read_tntp_network, read_tntp_trips
from diffcomb.errors import InfeasibleError, InvalidInstanceError
from diffcomb.problems.own_arrays import real_numbers, whole_number, whole_numbers
from diffcomb.problems.paths.shortest_trees import all_or_nothing, shortest_trees

_OF_LINKS = ("free_flow_time", "capacity", "b", "power", "length", "fixed")


@dataclass(frozen=True)
class RoadNetwork:
    """Links with the travel time of the Bureau of Public Roads (1964):

        t_a(v) = free_flow_time_a (1 + b_a (v / capacity_a) ** power_a) + fixed_a

    Zones are the nodes 0..num_zones - 1; trips start and end there.

    Args:
        tails, heads: (links,) int64.
        free_flow_time, capacity, b, power, length: (links,) float64, in any units.
        fixed: (links,) costs that do not depend on flow (tolls, distance), in units of time.
        first_thru_node: nodes below it are zones no route may pass through; 0 = none.
        coordinates: (nodes, 2) or None, for pictures.

    Raises:
        InvalidInstanceError: end points out of range, a capacity that is not positive, other negative or
            infinite numbers, a power between 0 and 1 where b > 0.
    """

    num_nodes: int
    num_zones: int
    tails: np.ndarray
    heads: np.ndarray
    free_flow_time: np.ndarray
    capacity: np.ndarray
    b: np.ndarray
    power: np.ndarray
    length: np.ndarray
    fixed: np.ndarray
    first_thru_node: int = 0
    coordinates: np.ndarray | None = None
    name: str = "roads"
    #: links leaving node v are links_by_tail[first_link[v]:first_link[v + 1]]
    links_by_tail: np.ndarray = field(init=False, repr=False)
    first_link: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("num_nodes", "num_zones", "first_thru_node"):
            object.__setattr__(self, name, whole_number(getattr(self, name), name, 0))
        for name in ("tails", "heads"):
            object.__setattr__(self, name, whole_numbers(getattr(self, name), f"{name} of links"))
        for name in _OF_LINKS:
            object.__setattr__(self, name, real_numbers(getattr(self, name), f"{name} of links"))
            if getattr(self, name).shape != self.tails.shape or not np.isfinite(getattr(self, name)).all():
                raise InvalidInstanceError(f"{name} needs one finite number for each link.")
        if self.coordinates is not None:
            object.__setattr__(self, "coordinates", real_numbers(self.coordinates, "coordinates"))
        if self.tails.ndim != 1 or self.heads.shape != self.tails.shape or len(self.tails) == 0:
            raise InvalidInstanceError("Roads need links, each with a tail and a head.")
        ends = np.concatenate([self.tails, self.heads])
        if ends.min() < 0 or ends.max() >= self.num_nodes:
            raise InvalidInstanceError(f"Link end points must lie in 0..{self.num_nodes - 1}.")
        if not 0 < self.num_zones <= self.num_nodes:
            raise InvalidInstanceError(f"{self.num_nodes} nodes cannot have {self.num_zones} zones.")
        if (self.capacity <= 0).any() or min(getattr(self, name).min() for name in _OF_LINKS) < 0:
            raise InvalidInstanceError(
                "Capacities must be positive, times and the other numbers not negative."
            )
        if ((self.power > 0) & (self.power < 1) & (self.b > 0)).any():
            raise InvalidInstanceError(
                "A power between 0 and 1 makes the first vehicle change the travel time infinitely fast; use"
                " powers of at least 1, or b = 0."
            )
        order = np.argsort(self.tails, kind="stable")
        object.__setattr__(self, "links_by_tail", order)
        first = np.searchsorted(self.tails[order], np.arange(self.num_nodes + 1))
        object.__setattr__(self, "first_link", first)

    @classmethod
    def from_tntp(
        cls, folder: str | Path, *, toll_weight: float = 0.0, distance_weight: float = 0.0
    ) -> tuple[RoadNetwork, np.ndarray]:
        """The network in a folder with one *_net.tntp and one *_trips.tntp, and its demand (zones, zones).

        Args:
            toll_weight, distance_weight: time per unit of toll and of length that drivers count beside
                time (Chicago sketch: 0.02 and 0.04); 0 on most networks.
        """
        folder = Path(folder)
        found = sorted(folder.glob("*_net.tntp"))
        if len(found) != 1:
            raise InvalidInstanceError(
                f"{folder} has {len(found)} *_net.tntp files, one is needed;"
                " `python -m diffcomb.data roads` downloads networks into $DIFFCOMB_DATA."
            )
        read = read_tntp_network(found[0])
        trips = found[0].with_name(found[0].name.replace("_net.tntp", "_trips.tntp"))
        demand = read_tntp_trips(trips)
        if len(demand) != read.num_zones:
            raise InvalidInstanceError(
                f"{found[0].name} has {read.num_zones} zones, but {trips.name} has {len(demand)}."
            )
        network = cls(
            read.num_nodes,
            read.num_zones,
            read.tails,
            read.heads,
            read.free_flow_time,
            read.capacity,
            read.b,
            read.power,
            read.length,
            toll_weight * read.toll + distance_weight * read.length,
            read.first_thru_node,
            read_tntp_coordinates(folder, read.num_nodes),
            folder.name,
        )
        return network, demand

    @classmethod
    def grid(cls, rows: int, cols: int, *, seed: int = 0) -> tuple[RoadNetwork, np.ndarray]:
        """A town on a grid with two-way streets of random length and capacity, and a demand between all
        corners of it that congests it; the same seed, the same town.
        """
        rows, cols = whole_number(rows, "rows", 2), whole_number(cols, "cols", 2)
        rng = np.random.default_rng(seed)
        node = np.arange(rows * cols).reshape(rows, cols)
        streets = np.concatenate(
            [
                np.stack([node[:, :-1].ravel(), node[:, 1:].ravel()]),
                np.stack([node[:-1].ravel(), node[1:].ravel()]),
            ],
            axis=1,
        )
        length = 0.5 + rng.random(streets.shape[1])
        avenue = rng.random(streets.shape[1]) < 0.3
        time = length * np.where(avenue, 0.6, 1.0)
        capacity = np.where(avenue, 2.0, 1.0) * (0.6 + 0.8 * rng.random(streets.shape[1]))
        tails, heads = np.concatenate([streets, streets[::-1]], axis=1)
        links = len(tails)
        demand = rng.random((rows * cols, rows * cols)) ** 3
        np.fill_diagonal(demand, 0.0)
        # about the load at which half of the links are full
        demand *= 1.2 * links / (demand.sum() * (rows + cols) / 3)
        positions = np.stack([np.tile(np.arange(cols), rows), -np.repeat(np.arange(rows), cols)], axis=1)
        network = cls(
            rows * cols,
            rows * cols,
            tails,
            heads,
            np.tile(time, 2),
            np.tile(capacity, 2),
            np.full(links, 0.15),
            np.full(links, 4.0),
            np.tile(length, 2),
            np.zeros(links),
            0,
            positions.astype(np.float64),
            f"grid {rows} x {cols}",
        )
        return network, demand

    @property
    def num_links(self) -> int:
        return len(self.tails)

    def with_(
        self, *, free_flow_time: np.ndarray | None = None, capacity: np.ndarray | None = None
    ) -> RoadNetwork:
        """The same roads with other free-flow times or capacities (weather, works)."""
        return replace(
            self,
            free_flow_time=self.free_flow_time if free_flow_time is None else free_flow_time,
            capacity=self.capacity if capacity is None else capacity,
        )

    # -- link performance -----------------------------------------------------------------------
    def travel_times(self, flows: np.ndarray) -> np.ndarray:
        """t(v), (links,)."""
        ratio = np.maximum(flows, 0.0) / self.capacity
        times: np.ndarray = self.free_flow_time * (1 + self.b * ratio**self.power) + self.fixed
        return times

    def slopes(self, flows: np.ndarray) -> np.ndarray:
        """dt/dv, (links,); 0 on links without congestion."""
        ratio = np.maximum(flows, 0.0) / self.capacity
        exponent = np.maximum(self.power - 1, 0.0)
        slope: np.ndarray = self.free_flow_time * self.b * self.power * ratio**exponent / self.capacity
        return slope

    def beckmann(self, flows: np.ndarray) -> float:
        """Z(v) = sum_a int_0^v_a t_a (Beckmann, McGuire & Winsten 1956): what an equilibrium minimises."""
        ratio = np.maximum(flows, 0.0) / self.capacity
        mean = self.free_flow_time * (1 + self.b * ratio**self.power / (self.power + 1)) + self.fixed
        return float(mean @ flows)

    # -- shortest paths -------------------------------------------------------------------------
    def trees(self, origins: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shortest distance to, and last link before, every node, (origins, nodes) each."""
        return shortest_trees(
            np.asarray(origins, np.int64),
            times,
            self.first_link,
            self.links_by_tail,
            self.heads,
            self.first_thru_node,
        )

    def load(self, demand: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, float]:
        """All demand (zones, zones) on shortest paths at fixed times: flows (links,) and total time.

        Raises:
            InvalidInstanceError: demand of the wrong shape, negative or not finite.
            InfeasibleError: a pair with demand has no route.
        """
        if demand.shape != (self.num_zones, self.num_zones) or not np.isfinite(demand).all():
            raise InvalidInstanceError(
                f"Demand must be finite of shape {(self.num_zones, self.num_zones)}, got {demand.shape}."
            )
        if (demand < 0).any():
            raise InvalidInstanceError("Demand must not be negative.")
        flows, total = all_or_nothing(
            demand,
            times,
            self.first_link,
            self.links_by_tail,
            self.tails,
            self.heads,
            self.first_thru_node,
        )
        if not np.isfinite(total):
            raise InfeasibleError("Some pair of zones with demand between them has no route.")
        return flows, total
