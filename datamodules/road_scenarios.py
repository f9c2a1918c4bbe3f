"""Hours on a road network: what a navigation company knows, and the equilibrium travel times it does not.

Demand of an hour = rush(hour) x (the file's demand, in the evening turned round) x a factor of the origin
x a factor of the destination. Rain slows fast roads most and takes capacity; a few links lose most of
theirs in incidents nobody reports. Travel times are the user equilibrium.

Seen: free-flow time, capacity, length, connector or not, fast or not, hour, rain, a *noisy* reading of
the zones' factors, the load they would give on free-flow routes, and a *noisy* delay on the links
upstream.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import trange

from diffcomb.traffic import RoadNetwork, assign

NODE_FEATURES = ("trips leaving", "trips arriving", "is a zone")
LINK_FEATURES = (
    "free-flow time",
    "length",
    "log capacity",
    "connector",
    "fast",
    "sin hour",
    "cos hour",
    "rain",
    "log load",
    "upstream delay",
    "upstream is read",
)


@dataclass(frozen=True)
class RoadScenarios:
    """nodes (count, nodes, 3), links (count, links, 11), costs (count, links): float32.

    Costs are travel times in units of the network's mean free-flow link time, so that a model carries
    over to networks in other units.
    """

    nodes: Tensor
    links: Tensor
    costs: Tensor


def time_unit(roads: RoadNetwork) -> float:
    """The network's mean free-flow link time."""
    return float(roads.free_flow_time.mean())


def generate_road_scenarios(
    roads: RoadNetwork,
    demand: np.ndarray,
    count: int,
    *,
    seed: int,
    congestion: float = 1.0,
    noise: float = 0.2,
    gap: float = 1e-4,
) -> RoadScenarios:
    """Draw `count` hours; the same seed, the same hours.

    Args:
        demand: (zones, zones) of a busy hour.
        congestion: scales all demand. Small: free flow is right; large: everything is jammed.
        noise: standard deviation of the log of all readings. 0: exact readings.
        gap: relative gap of the equilibria.
    """
    rng = np.random.default_rng(seed)
    drawn = [
        _hour(roads, demand * congestion, rng, noise, gap)
        for _ in trange(count, desc=f"equilibria of {roads.name}", unit="hour", leave=False)
    ]
    nodes, links, costs = (
        torch.from_numpy(np.stack(part).astype(np.float32)) for part in zip(*drawn, strict=True)
    )
    return RoadScenarios(nodes, links, costs)


def _hour(
    roads: RoadNetwork, demand: np.ndarray, rng: np.random.Generator, noise: float, gap: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    zones = roads.num_zones
    hour = rng.uniform(6, 22)
    rush = 0.35 + 0.75 * np.exp(-((hour - 8) ** 2) / 4.5) + 0.7 * np.exp(-((hour - 17.5) ** 2) / 6)
    morning = 1 / (1 + np.exp((hour - 13) / 1.5))
    usual = rush * (morning * demand + (1 - morning) * demand.T)
    leaving, arriving = np.exp(0.3 * rng.standard_normal((2, zones)))
    trips = usual * leaving[:, None] * arriving[None, :]

    speed = roads.length / np.maximum(roads.free_flow_time, 1e-9)
    fast = speed > np.median(speed)
    rain = max(0.0, rng.uniform(-1, 1))
    exposure = rain * np.where(fast, 1.0, 0.4)
    connector = (roads.tails < roads.first_thru_node) | (roads.heads < roads.first_thru_node)
    incident = (rng.random(roads.num_links) < 0.05) & ~connector
    today = roads.with_(
        free_flow_time=roads.free_flow_time * (1 + 0.2 * exposure),
        capacity=roads.capacity * (1 - 0.25 * exposure) * np.where(incident, 0.4, 1.0),
    )
    times = assign(today, trips, gap=gap).times

    read_leaving, read_arriving = (
        factors * np.exp(noise * rng.standard_normal(zones)) for factors in (leaving, arriving)
    )
    expected = usual * read_leaving[:, None] * read_arriving[None, :]
    load = roads.load(expected, roads.free_flow_time + roads.fixed)[0] / roads.capacity
    delay, is_read = _upstream_delay(roads, times)
    delay = delay * np.exp(noise * rng.standard_normal(roads.num_links)) * is_read

    angle = 2 * np.pi * hour / 24
    per_link = (np.sin(angle), np.cos(angle), rain)
    links = np.stack(
        [
            roads.free_flow_time / time_unit(roads),
            roads.length / max(roads.length.mean(), 1e-9),
            np.log(roads.capacity / np.median(roads.capacity)),
            connector,
            fast,
            *(np.full(roads.num_links, value) for value in per_link),
            np.log1p(load),
            np.log1p(delay),
            is_read,
        ],
        axis=1,
    )
    nodes = np.zeros((roads.num_nodes, len(NODE_FEATURES)))
    mean = max(expected.sum() / zones, 1e-9)
    nodes[:zones, 0] = np.log1p(expected.sum(1) / mean)
    nodes[:zones, 1] = np.log1p(expected.sum(0) / mean)
    nodes[:zones, 2] = 1.0
    return nodes, links, times / time_unit(roads)


def _upstream_delay(roads: RoadNetwork, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of time / free-flow time - 1 over the links that enter a link's tail; 1.0 where there are any."""
    moving = roads.free_flow_time > 0
    delay = np.zeros(roads.num_links)
    delay[moving] = times[moving] / roads.free_flow_time[moving] - 1
    total = np.bincount(roads.heads, delay * moving, roads.num_nodes)
    entering = np.bincount(roads.heads, moving, roads.num_nodes)
    mean = total / np.maximum(entering, 1)
    return mean[roads.tails], (entering[roads.tails] > 0).astype(np.float64)
