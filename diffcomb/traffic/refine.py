"""User equilibrium to rounding: path flows by gradient projection, then Newton on the optimal face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.errors import SolveFailedError
from diffcomb.problems.paths.shortest_trees import shortest_tree
from diffcomb.traffic.assignment import Equilibrium
from diffcomb.traffic.equilibrium_face import EquilibriumFace, equilibrium_face
from diffcomb.traffic.network import RoadNetwork

#: where the set of shortest routes is read off: far below the differences between routes that matter
_IDENTIFY = 1e-12


@dataclass
class _Paths:
    """Paths of all pairs as linked lists in growing arrays.

    Path p of a pair is followed by after[p]; it uses pool[start[p]:start[p] + length[p]].
    """

    first: np.ndarray
    after: np.ndarray
    flow: np.ndarray
    start: np.ndarray
    length: np.ndarray
    pool: np.ndarray
    used: np.ndarray  # (2,): paths, pool entries

    @classmethod
    def empty(cls, pairs: int) -> _Paths:
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

    def grow(self) -> None:
        self.after = np.concatenate([self.after, np.full_like(self.after, -1)])
        for name in ("flow", "start", "length", "pool"):
            array = getattr(self, name)
            setattr(self, name, np.concatenate([array, np.zeros_like(array)]))


def refine(
    network: RoadNetwork, demand: np.ndarray, *, gap: float = 1e-15, max_sweeps: int = 2000
) -> tuple[Equilibrium, EquilibriumFace]:
    """The equilibrium so exact that it can be differentiated, and the face of routes in use.

    Gradient projection of path flows, pair by pair (Jayakrishnan, Tsai, Prashker & Rajadhyaksha 1994):
    each sweep adds the shortest path and moves (c_k - c_shortest) / sum of t' over the links not shared
    from every dearer path k. Newton steps on the face equalise the routes to rounding.

    Args:
        gap: relative gap that counts as reached at the end; rounding allows about 1e-15.

    Raises:
        InvalidInstanceError, InfeasibleError: of the demand. SolveFailedError: gap not reached, most
            often because some route is exactly as short as those in use but carries nothing.
    """
    network.load(demand, network.travel_times(np.zeros(network.num_links)))  # refuse bad demand
    paths = _Paths.empty(network.num_zones**2)
    flows = np.zeros(network.num_links)
    relative = np.inf
    sweeps = 0
    while sweeps < max_sweeps:
        sweeps += 1
        _sweep_all(network, demand, flows, paths)
        # the sum of the paths, free of what the many small moves have rounded away
        flows = _flows_of(paths.first, paths.after, paths.flow, paths.start, paths.length, paths.pool, flows)
        relative = _gap(network, demand, flows)
        if relative <= _IDENTIFY:
            break
    face = equilibrium_face(network, demand, network.travel_times(flows))
    for _ in range(5):
        candidate = flows - face.project(network.slopes(flows), network.travel_times(flows))
        better = _gap(network, demand, candidate)
        if (candidate < -1e-9 * flows.max(initial=1.0)).any() or better > relative:
            break
        flows, relative = np.maximum(candidate, 0.0), better
    if relative > max(gap, _IDENTIFY):
        raise SolveFailedError(f"Relative gap {relative:.1e} after {sweeps} sweeps; raise max_sweeps.")
    times = network.travel_times(flows)
    return Equilibrium(flows, times, network.beckmann(flows), relative, sweeps), face


def _gap(network: RoadNetwork, demand: np.ndarray, flows: np.ndarray) -> float:
    times = network.travel_times(flows)
    total = float(times @ flows)
    # rounding may put the sum of shortest paths above the total
    return abs(1 - network.load(demand, times)[1] / total) if total > 0 else 0.0


def _sweep_all(network: RoadNetwork, demand: np.ndarray, flows: np.ndarray, paths: _Paths) -> None:
    times, slopes = network.travel_times(flows), network.slopes(flows)
    origin = 0
    while origin < network.num_zones:
        reached = _sweep(
            origin,
            demand,
            flows,
            times,
            slopes,
            network.first_link,
            network.links_by_tail,
            network.tails,
            network.heads,
            network.first_thru_node,
            network.free_flow_time,
            network.capacity,
            network.b,
            network.power,
            network.fixed,
            paths.first,
            paths.after,
            paths.flow,
            paths.start,
            paths.length,
            paths.pool,
            paths.used,
        )
        if reached < network.num_zones:
            paths.grow()
        origin = reached


@compiled
def _sweep(
    origin: int,
    demand: np.ndarray,
    flows: np.ndarray,
    times: np.ndarray,
    slopes: np.ndarray,
    first_link: np.ndarray,
    links: np.ndarray,
    tails: np.ndarray,
    heads: np.ndarray,
    first_thru_node: int,
    free: np.ndarray,
    capacity: np.ndarray,
    b: np.ndarray,
    power: np.ndarray,
    fixed: np.ndarray,
    first: np.ndarray,
    after: np.ndarray,
    path_flow: np.ndarray,
    start: np.ndarray,
    length: np.ndarray,
    pool: np.ndarray,
    used: np.ndarray,
) -> int:
    """Origins from `origin` on; returns the first one for which the arrays have no room left."""
    zones, nodes = len(demand), len(first_link) - 1
    distance = np.empty(nodes)
    parent = np.empty(nodes, np.int64)
    settled = np.empty(nodes, np.int64)
    mark = np.zeros(len(flows), np.int64)
    walk = np.empty(nodes, np.int64)
    while origin < zones:
        if used[0] + zones > len(after) or used[1] + zones * nodes > len(pool):
            return origin
        shortest_tree(origin, times, first_link, links, heads, first_thru_node, distance, parent, settled)
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
            known, p = False, first[pair]
            while p >= 0 and not known:
                known = length[p] == count
                for i in range(count):
                    known = known and pool[start[p] + i] == walk[i]
                p = after[p]
            if not known:
                p = used[0]
                start[p], length[p] = used[1], count
                pool[used[1] : used[1] + count] = walk[:count]
                after[p] = first[pair]
                path_flow[p] = trips if first[pair] < 0 else 0.0
                used[0] += 1
                used[1] += count
                if first[pair] < 0:
                    for i in range(count):
                        a = walk[i]
                        flows[a] += trips
                        ratio = flows[a] / capacity[a]
                        times[a] = free[a] * (1 + b[a] * ratio ** power[a]) + fixed[a]
                        slopes[a] = free[a] * b[a] * power[a] * ratio ** max(power[a] - 1, 0.0) / capacity[a]
                first[pair] = p
            _equalise(
                pair, flows, times, slopes, free, capacity, b, power, fixed, first, after, path_flow, start,
                length, pool, mark,
            )  # fmt: skip
        origin += 1
    return origin


@compiled
def _equalise(
    pair: int,
    flows: np.ndarray,
    times: np.ndarray,
    slopes: np.ndarray,
    free: np.ndarray,
    capacity: np.ndarray,
    b: np.ndarray,
    power: np.ndarray,
    fixed: np.ndarray,
    first: np.ndarray,
    after: np.ndarray,
    path_flow: np.ndarray,
    start: np.ndarray,
    length: np.ndarray,
    pool: np.ndarray,
    mark: np.ndarray,
) -> None:
    """One projected Newton step from every path of the pair to its cheapest; empty paths are dropped."""
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
                        ratio = flows[a] / capacity[a]
                        times[a] = free[a] * (1 + b[a] * ratio ** power[a]) + fixed[a]
                        slopes[a] = free[a] * b[a] * power[a] * ratio ** max(power[a] - 1, 0.0) / capacity[a]
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


@compiled
def _flows_of(
    first: np.ndarray,
    after: np.ndarray,
    path_flow: np.ndarray,
    start: np.ndarray,
    length: np.ndarray,
    pool: np.ndarray,
    like: np.ndarray,
) -> np.ndarray:
    flows = np.zeros_like(like)
    for pair in range(len(first)):
        p = first[pair]
        while p >= 0:
            for i in range(start[p], start[p] + length[p]):
                flows[pool[i]] += path_flow[p]
            p = after[p]
    return flows
