"""LightningDataModule for trips on a road network: one PyG graph an hour, several trips each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader
from torch_geometric.data import Batch, Data
from torch_geometric.loader.dataloader import Collater

from datamodules.cache import cache_key, save_whole
from datamodules.epoch_shuffle import EpochShuffle
from datamodules.road_report import save_road_report
from datamodules.road_scenarios import (
    LINK_FEATURES,
    NODE_FEATURES,
    RoadScenarios,
    generate_road_scenarios,
)
from datamodules.road_trips import RoadTrips
from diffcomb.errors import InvalidInstanceError, UnsupportedError

#: raise when the generator changes, so that stale caches are not read
_FORMAT = 1


def collate_trips(hours: list[Data]) -> Batch:
    """PyG batch of the hours, with what layers and losses take beside it, trip by trip:

    problem: list of trip problems. link_index: list of (n_i,) links of the batched graph, the costs of
    each. costs, decisions: (sum n_i,).
    """
    trips = [hour.trips for hour in hours]
    batch = Collater(None)([hour.clone() for hour in hours])
    problems, index, costs, decisions, before = [], [], [], [], 0
    for hour, members in zip(hours, trips, strict=True):
        for trip, decision in zip(members, hour.decisions, strict=True):
            links = torch.from_numpy(trip.links)
            problems.append(trip.problem)
            index.append(links + before)
            costs.append(hour.times[links])
            decisions.append(decision)
        before += hour.num_edges
    batch.problem, batch.link_index = problems, index
    batch.costs, batch.decisions = torch.cat(costs), torch.cat(decisions)
    return batch


@dataclass(frozen=True)
class RoadHours:
    """Hours on the network of `family`, with the trips made in each."""

    family: RoadTrips
    graphs: list[Data]


class RoadsDataModule(pl.LightningDataModule):
    """Train, validation and test hours of one network, their equilibria cached on disk.

    Training and validation trips run between one set of zone pairs, test trips between others.

    Args:
        problem: the family of trips.
        num_train, num_val, num_test: hours.
        batch_size: hours a training step.
        num_pairs: different pairs of zones in training. Each has a solver of its own.
        trips_per_hour: trips drawn from the pairs in every hour.
        congestion, noise: see `generate_road_scenarios`.
        gap: relative gap of the equilibria.
        transfer: network -> congestion, judged on but not trained on.
        num_stops: of the delivery tour planned in every test hour.
        seed: of the data; the sets use different streams of it.
        cache_dir: hours are kept here, one file per (network, generator, seed).
    """

    node_features, edge_features = len(NODE_FEATURES), len(LINK_FEATURES)
    #: fields that a loss may ask for in training
    supervision: tuple[str, ...] = ("costs", "decisions")

    def __init__(
        self,
        problem: RoadTrips,
        num_train: int = 200,
        num_val: int = 40,
        num_test: int = 100,
        batch_size: int = 8,
        num_pairs: int = 60,
        trips_per_hour: int = 10,
        congestion: float = 1.0,
        noise: float = 0.2,
        gap: float = 1e-4,
        transfer: Mapping[str, float] | None = None,
        num_stops: int = 8,
        seed: int = 0,
        cache_dir: str = "data/roads",
    ) -> None:
        super().__init__()
        if not isinstance(problem, RoadTrips):
            raise UnsupportedError(f"RoadsDataModule needs problem=roads, not {type(problem).__name__}.")
        if min(num_train, num_val, num_test, batch_size, num_pairs, trips_per_hour) < 1:
            raise InvalidInstanceError("Numbers of hours, pairs and trips must be at least 1.")
        if num_stops < 3:
            raise InvalidInstanceError(f"A tour needs at least 3 stops, got {num_stops}.")
        if congestion <= 0 or noise < 0 or gap <= 0:
            raise InvalidInstanceError(
                f"congestion and gap must be positive, noise not negative; got {congestion}, {gap}, {noise}."
            )
        self.problem = problem
        self.counts = {"train": num_train, "val": num_val, "test": num_test}
        self.batch_size, self.seed = batch_size, seed
        self.num_pairs, self.trips_per_hour = num_pairs, trips_per_hour
        self.congestion, self.noise, self.gap = congestion, noise, gap
        self.transfer, self.num_stops = dict(transfer or {}), num_stops
        self.cache_dir = Path(cache_dir)
        self.sets: dict[str, list[Data]] = {}

    def prepare_data(self) -> None:
        for split in self.counts:
            self._scenarios(self.problem, split, self.congestion)

    def setup(self, stage: str | None = None) -> None:
        for split in self.counts:
            if split not in self.sets:
                self.sets[split] = self.hours(self.problem, split, self.congestion).graphs

    def sample(self, count: int) -> Batch:
        """`count` hours of a stream of their own, as a batch; nothing is kept.

        The networks to be judged on in the end are read as well, so that one that is missing shows now.
        """
        family = self.problem
        for network in self.transfer:
            family.elsewhere(network).pairs(self.num_pairs, torch.Generator().manual_seed(0))
        drawn = self._draw(family, count, self.seed * 3 + 2**32, self.congestion)
        return collate_trips(self._hours(family, "train", drawn).graphs)

    def instance_bytes(self) -> int:
        """Of an hour: features and times of nodes and links, float32."""
        roads = self.problem.roads
        return 4 * (roads.num_nodes * self.node_features + roads.num_links * (self.edge_features + 1))

    def hours(self, family: RoadTrips, split: str, congestion: float) -> RoadHours:
        """The `split` on any network, for instance one never trained on."""
        return self._hours(family, split, self._scenarios(family, split, congestion))

    def _hours(self, family: RoadTrips, split: str, scenarios: RoadScenarios) -> RoadHours:
        pairs_seed = 2 * self.seed + (split == "test")
        pairs = family.pairs(self.num_pairs, torch.Generator().manual_seed(pairs_seed))
        generator = torch.Generator().manual_seed(self._stream(split))
        edge_index = torch.from_numpy(family.roads_ends)
        graphs = []
        for x, links, times in zip(scenarios.nodes, scenarios.links, scenarios.costs, strict=True):
            drawn = torch.randint(len(pairs), (self.trips_per_hour,), generator=generator).tolist()
            trips = [family.trip(*pairs[k]) for k in drawn]
            decisions = [trip.problem.solve(times[trip.links].double()).decision.float() for trip in trips]
            hour = Data(x=x, edge_index=edge_index, edge_attr=links, times=times)
            hour.trips, hour.decisions = trips, decisions
            graphs.append(hour)
        return RoadHours(family, graphs)

    def report(self, encoders: Mapping[str, nn.Module], folder: Path) -> pd.DataFrame:
        """What the encoders that predict link times save, here and elsewhere; see `save_road_report`."""
        methods = {name: getattr(encoder, "link_times", None) for name, encoder in encoders.items()}
        predict = {name: method for name, method in methods.items() if callable(method)}
        return save_road_report(self, predict, folder)

    def _stream(self, split: str) -> int:
        return self.seed * 3 + list(self.counts).index(split)

    def _scenarios(self, family: RoadTrips, split: str, congestion: float) -> RoadScenarios:
        """From the cache, or drawn and stored; the file appears only when it is complete."""
        path = self._cache_file(family, split, congestion)
        if path.exists():
            return RoadScenarios(**torch.load(path, weights_only=True))
        drawn = self._draw(family, self.counts[split], self._stream(split), congestion)
        save_whole(vars(drawn), path)
        return drawn

    def _draw(self, family: RoadTrips, count: int, seed: int, congestion: float) -> RoadScenarios:
        return generate_road_scenarios(
            family.roads,
            family.demand,
            count,
            seed=seed,
            congestion=congestion,
            noise=self.noise,
            gap=self.gap,
        )

    def _cache_file(self, family: RoadTrips, split: str, congestion: float) -> Path:
        roads = family.roads
        content = hashlib.sha256(family.demand.tobytes())
        for array in (roads.tails, roads.heads, roads.free_flow_time, roads.capacity, roads.b, roads.power):
            content.update(array.tobytes())
        identity: dict[str, Any] = {
            "format": _FORMAT,
            "content": content.hexdigest(),
            "split": split,
            "count": self.counts[split],
            "congestion": congestion,
            "noise": self.noise,
            "gap": self.gap,
            "seed": self.seed,
        }
        key = cache_key(identity)
        return self.cache_dir / f"{roads.name.replace(' ', '')}-{split}-{key}.pt"

    def train_dataloader(self) -> DataLoader:
        order = EpochShuffle(len(self.sets["train"]), self.seed)
        return DataLoader(
            self.sets["train"],  # type: ignore[arg-type]
            self.batch_size,
            sampler=order,
            collate_fn=collate_trips,
        )

    def val_dataloader(self) -> DataLoader:
        return self.loader(self.sets["val"])

    def test_dataloader(self) -> DataLoader:
        return self.loader(self.sets["test"])

    @staticmethod
    def loader(graphs: list[Data]) -> DataLoader:
        """In order, for judging."""
        return DataLoader(graphs, 32, collate_fn=collate_trips)  # type: ignore[arg-type]
