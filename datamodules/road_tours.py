"""Delivery tours on a road network: the order of stops, and the routes between them, for predicted times."""

from __future__ import annotations

import numpy as np
import torch

from diffcomb.problems import TravelingSalesman
from diffcomb.traffic import RoadNetwork


def plan_tour(roads: RoadNetwork, stops: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(links,) how often the best closed tour through all stops uses each link, for these link times.

    The order is the exact optimum of a TravelingSalesman over mean shortest-path times of both
    directions; of the two ways round, the faster is driven.

    Args:
        stops: (k,) different nodes, k >= 3.
    """
    distance, parent = roads.trees(stops, times)
    legs = distance[:, stops]
    problem = TravelingSalesman(len(stops))
    i, j = np.triu_indices(len(stops), 1)
    z = problem.solve(torch.from_numpy((legs[i, j] + legs[j, i]) / 2)).decision
    order = _order(len(stops), i[z.numpy() > 0.5], j[z.numpy() > 0.5])
    ways = [order, order[::-1]]
    best = min(ways, key=lambda way: sum(legs[a, b] for a, b in zip(way, [*way[1:], way[0]], strict=True)))
    used = np.zeros(roads.num_links)
    for a, b in zip(best, [*best[1:], best[0]], strict=True):
        node = stops[b]
        while node != stops[a]:
            used[parent[a, node]] += 1
            node = roads.tails[parent[a, node]]
    return used


def _order(count: int, i: np.ndarray, j: np.ndarray) -> list[int]:
    neighbours: list[list[int]] = [[] for _ in range(count)]
    for u, v in zip(i.tolist(), j.tolist(), strict=True):
        neighbours[u].append(v)
        neighbours[v].append(u)
    order = [0]
    while len(order) < count:
        ahead = [v for v in neighbours[order[-1]] if len(order) < 2 or v != order[-2]]
        order.append(ahead[0])
    return order
