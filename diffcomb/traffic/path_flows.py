"""Path flows of all pairs of zones, and sweeps of gradient projection over them; compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled, inlined
from diffcomb.problems.paths.shortest_trees import Tree, shortest_tree
from diffcomb.traffic.network import RoadNetwork

#: origins between two returns to Python
_ORIGINS = 16


class Roads(NamedTuple):
    """The links as kernels read them; see `RoadNetwork`.

    Attributes:
        tails, heads: (links,). first_link, links_by_tail: links leaving node v.
        first_thru_node: nodes below it are not passed through.
    """

    tails: np.ndarray
    heads: np.ndarray
    first_link: np.ndarray
    links_by_tail: np.ndarray
    first_thru_node: int


class Performance(NamedTuple):
    """t = free (1 + b (v / capacity) ** power) + fixed, (links,) each."""

    free: np.ndarray
    capacity: np.ndarray
    b: np.ndarray
    power: np.ndarray
    fixed: np.ndarray


class LinkState(NamedTuple):
    """(links,) each, changed in place: flows, and travel times and their slopes at them."""

    flows: np.ndarray
    times: np.ndarray
    slopes: np.ndarray


class PathFlows(NamedTuple):
    """Paths of all pairs as linked lists.

    Path p of a pair is followed by after[p]; it uses pool[start[p]:start[p] + length[p]].

    Attributes:
        first: (pairs,) the first path of each, -1 = none.
        after, flow, start, length: (paths,). pool: links. used: (2,) paths, pool entries in use.
    """

    first: np.ndarray
    after: np.ndarray
    flow: np.ndarray
    start: np.ndarray
    length: np.ndarray
    pool: np.ndarray
    used: np.ndarray

    @classmethod
    def empty(cls, pairs: int) -> PathFlows:
        size = 4 * pairs + 1024
        return cls(
            np.full(pairs, -1, np.int64),
            np.full(size, -1, np.int64),
            np.zeros(size),
            np.zeros(size, np.int64),
            np.zeros(size, np.int64),
            np.zeros(16 * size, np.int64),
            np.zeros(2, np.int64),
        )

    def grown(self) -> PathFlows:
        """The same paths with twice the room."""
        doubled = {
            name: np.concatenate([array, np.zeros_like(array)])
            for name in ("flow", "start", "length", "pool")
            for array in [getattr(self, name)]
        }
        return self._replace(after=np.concatenate([self.after, np.full_like(self.after, -1)]), **doubled)


def sweep(network: RoadNetwork, demand: np.ndarray, flows: np.ndarray, paths: PathFlows) -> PathFlows:
    """Every pair once: its shortest path joins, then flow moves to it; `flows` (links,) in place.

    Returns:
        the paths, in larger arrays where they needed more room.
    """
    roads = Roads(
        network.tails, network.heads, network.first_link, network.links_by_tail, network.first_thru_node
    )
    performance = Performance(
        network.free_flow_time, network.capacity, network.b, network.power, network.fixed
    )
    state = LinkState(flows, network.travel_times(flows), network.slopes(flows))
    origin, zones = 0, network.num_zones
    while origin < zones:
        stop = min(origin + _ORIGINS, zones)
        reached = _sweep(origin, stop, demand, roads, performance, state, paths)
        if reached < stop:
            paths = paths.grown()
        origin = reached
    return paths


@compiled
def flows_of(paths: PathFlows, num_links: int) -> np.ndarray:
    """Link flows (links,): the sum of the path flows."""
    flows = np.zeros(num_links)
    for pair in range(len(paths.first)):
        p = paths.first[pair]
        while p >= 0:
            for i in range(paths.length[p]):
                flows[paths.pool[paths.start[p] + i]] += paths.flow[p]
            p = paths.after[p]
    return flows


@compiled
def _sweep(
    origin: int,
    stop: int,
    demand: np.ndarray,
    roads: Roads,
    performance: Performance,
    state: LinkState,
    paths: PathFlows,
) -> int:
    """Origins from `origin` on, before `stop`; returns the first for which the arrays have no room left."""
    tails, heads, first_link, links, first_thru_node = roads
    zones, nodes = len(demand), len(first_link) - 1
    parent = np.empty(nodes, np.int64)
    tree = Tree(np.empty(nodes), parent, np.empty(nodes, np.int64))
    mark = np.zeros(len(state.flows), np.int64)
    walk = np.empty(nodes, np.int64)
    while origin < stop:
        if paths.used[0] + zones > len(paths.after) or paths.used[1] + zones * nodes > len(paths.pool):
            return origin
        shortest_tree(origin, state.times, first_link, links, heads, first_thru_node, tree)
        for z in range(zones):
            trips = demand[origin, z]
            if z == origin or trips <= 0.0:
                continue
            pair = origin * zones + z
            count, node = 0, z
            while node != origin:
                walk[count] = parent[node]
                count += 1
                node = tails[parent[node]]
            if not _is_known(paths, pair, walk, count):
                alone = paths.first[pair] < 0
                _add(paths, pair, walk, count, trips)
                if alone:
                    for i in range(count):
                        state.flows[walk[i]] += trips
                        _update(performance, state, walk[i])
            _equalise(pair, performance, state, paths, mark)
        origin += 1
    return origin


@inlined
def _is_known(paths: PathFlows, pair: int, walk: np.ndarray, count: int) -> bool:
    known, p = False, paths.first[pair]
    while p >= 0 and not known:
        known = paths.length[p] == count
        for i in range(count):
            known = known and paths.pool[paths.start[p] + i] == walk[i]
        p = paths.after[p]
    return known


@inlined
def _add(paths: PathFlows, pair: int, walk: np.ndarray, count: int, trips: float) -> None:
    """A new path in front of those of the pair; it carries all trips if it is the only one, else none."""
    p = paths.used[0]
    paths.start[p], paths.length[p] = paths.used[1], count
    paths.pool[paths.used[1] : paths.used[1] + count] = walk[:count]
    paths.after[p] = paths.first[pair]
    paths.flow[p] = trips if paths.first[pair] < 0 else 0.0
    paths.used[0] += 1
    paths.used[1] += count
    paths.first[pair] = p


@inlined
def _update(performance: Performance, state: LinkState, a: int) -> None:
    """Time and slope of link a at its flow."""
    free, capacity, b, power, fixed = performance
    ratio = state.flows[a] / capacity[a]
    state.times[a] = free[a] * (1 + b[a] * ratio ** power[a]) + fixed[a]
    state.slopes[a] = free[a] * b[a] * power[a] * ratio ** max(power[a] - 1, 0.0) / capacity[a]


@inlined
def _equalise(
    pair: int, performance: Performance, state: LinkState, paths: PathFlows, mark: np.ndarray
) -> None:
    """One projected Newton step from every path of the pair to its cheapest; empty paths are dropped."""
    flows, times, slopes = state
    first, after, path_flow, start, length, pool, _ = paths
    best, cheapest = -1, np.inf
    p = first[pair]
    while p >= 0:
        cost = 0.0
        for i in range(start[p], start[p] + length[p]):
            cost += times[pool[i]]
        if cost < cheapest:
            best, cheapest = p, cost
        p = after[p]
    p = first[pair]
    while p >= 0:
        if p != best:
            for i in range(start[p], start[p] + length[p]):
                mark[pool[i]] += 1
            for i in range(start[best], start[best] + length[best]):
                mark[pool[i]] -= 1
            excess, slope = 0.0, 0.0
            for q in (p, best):
                for i in range(start[q], start[q] + length[q]):
                    a = pool[i]
                    excess += mark[a] * times[a]
                    slope += abs(mark[a]) * slopes[a]
            moved = 0.0
            if excess > 0.0:
                moved = path_flow[p] if slope <= 0.0 else min(path_flow[p], excess / slope)
            path_flow[p] -= moved
            path_flow[best] += moved
            for q in (p, best):
                for i in range(start[q], start[q] + length[q]):
                    a = pool[i]
                    if mark[a] != 0:
                        flows[a] = max(flows[a] - mark[a] * moved, 0.0)
                        mark[a] = 0
                        _update(performance, state, a)
        p = after[p]
    before, p = -1, first[pair]
    while p >= 0:
        if path_flow[p] <= 0.0 and p != best:
            if before < 0:
                first[pair] = after[p]
            else:
                after[before] = after[p]
        else:
            before = p
        p = after[p]
