"""What predicted link times are worth: trips and delivery tours, at home and on other networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Batch

from datamodules.road_scenarios import time_unit
from datamodules.road_tours import plan_tour
from diffcomb.figures import save_route_figure, save_savings_figure, savings_table

if TYPE_CHECKING:
    from datamodules.roads import RoadHours, RoadsDataModule

#: batch of hours -> time of every link
Predict = Callable[[Batch], Tensor]


def save_road_report(data: RoadsDataModule, predict: Mapping[str, Predict], folder: Path) -> pd.DataFrame:
    """Judge free-flow planning and every model on test hours; writes roads.csv, savings.png and map.png.

    Trips take the fastest route of the whole network for the predicted times, and their true time
    counts, in the unit of the network's file.

    Returns:
        the table: network, decision, method, time per 1000, share above the best, savings over the
        methods before it with 95 % intervals.
    """
    methods = {"free_flow": _free_flow, **predict}
    places = {data.problem.network: (data.problem, data.congestion)}
    for network, congestion in data.transfer.items():
        family = data.problem.elsewhere(network)
        title = f"{network}, never seen"
        places[title] = (family, congestion)
    tables, panels = [], {}
    for place, (family, congestion) in places.items():
        hours = data.hours(family, "test", congestion)
        link_times = {name: _link_times(data, hours, method) for name, method in methods.items()}
        truth = torch.stack([hour.times for hour in hours.graphs]).double().numpy()
        unit = time_unit(family.roads)
        trips = {name: _drive(hours, times, truth) * unit for name, times in link_times.items()}
        tours = {
            name: _tours(hours, times, truth, data.num_stops, data.seed) * unit
            for name, times in link_times.items()
        }
        best_tours = _tours(hours, truth, truth, data.num_stops, data.seed) * unit
        for decision, times, optimum in (
            ("trip", trips, _drive(hours, truth, truth) * unit),
            (f"tour of {data.num_stops} stops", tours, best_tours),
        ):
            table = savings_table(times, optimum)
            table.insert(0, "decision", decision)
            table.insert(0, "network", place)
            tables.append(table)
        panels[place] = trips
        if family is data.problem:
            _save_map(folder / "map.png", hours, link_times, truth)
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.concat(tables, ignore_index=True)
    table.to_csv(folder / "roads.csv", index=False)
    save_savings_figure(folder / "savings.png", panels, unit="file's unit of time")
    return table


def _free_flow(batch: Batch) -> Tensor:
    """What a map alone says."""
    times: Tensor = batch.edge_attr[:, 0]
    return times


def _link_times(data: RoadsDataModule, hours: RoadHours, predict: Predict) -> np.ndarray:
    """(hours, links) float64."""
    with torch.no_grad():
        parts = [predict(batch) for batch in data.loader(hours.graphs)]
    return torch.cat(parts).double().reshape(len(hours.graphs), -1).numpy()


def _route(hours: RoadHours, origin: int, destination: int, times: np.ndarray) -> np.ndarray:
    """(links,) 1 on the fastest route."""
    roads = hours.family.roads
    (parent,) = roads.trees(np.array([origin]), times)[1]
    used, node = np.zeros(roads.num_links), destination
    while node != origin:
        used[parent[node]] = 1.0
        node = roads.tails[parent[node]]
    return used


def _drive(hours: RoadHours, planned: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(hours, trips) true times of the routes that are fastest for the planned times."""
    return np.array(
        [
            [_route(hours, trip.origin, trip.destination, planned[k]) @ truth[k] for trip in hour.trips]
            for k, hour in enumerate(hours.graphs)
        ]
    )


def _tours(hours: RoadHours, planned: np.ndarray, truth: np.ndarray, num_stops: int, seed: int) -> np.ndarray:
    """(hours, 1) true times of one tour an hour."""
    roads, rng = hours.family.roads, np.random.default_rng(seed)
    driven = []
    for k in range(len(hours.graphs)):
        stops = rng.choice(roads.num_zones, min(num_stops, roads.num_zones), replace=False)
        driven.append([plan_tour(roads, stops, planned[k]) @ truth[k]])
    return np.array(driven)


def _save_map(path: Path, hours: RoadHours, link_times: dict[str, np.ndarray], truth: np.ndarray) -> None:
    """The trip on which the last method gains most on the first of the trained ones."""
    names = list(link_times)
    before, after = (names[1], names[-1]) if len(names) > 2 else (names[0], names[-1])
    gain = _drive(hours, link_times[before], truth) - _drive(hours, link_times[after], truth)
    k, m = np.unravel_index(int(gain.argmax()), gain.shape)
    trip, times = hours.graphs[k].trips[m], truth[k]
    routes = {
        "best possible": times,
        **{name: link_times[name][k] for name in dict.fromkeys([before, after])},
    }
    used = {name: _route(hours, trip.origin, trip.destination, planned) for name, planned in routes.items()}
    unit = time_unit(hours.family.roads)
    labels = {f"{name.replace('_', ' ')}: {route @ times * unit:.1f}": route for name, route in used.items()}
    free = hours.graphs[k].edge_attr[:, 0].double().numpy()
    delay = times / np.maximum(free, 1e-9)
    title = f"{hours.family.roads.name}: zone {trip.origin + 1} to {trip.destination + 1}, true times"
    save_route_figure(path, hours.family.roads, labels, delay, title=title)
