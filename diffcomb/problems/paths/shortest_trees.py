"""Shortest path trees from every origin, and the flow they carry; compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled


class Tree(NamedTuple):
    """distance (nodes,), inf where there is no path; parent (nodes,), the last link, -1 at the origin and
    where there is no path; settled (nodes,), nodes by distance."""

    distance: np.ndarray
    parent: np.ndarray
    settled: np.ndarray


@compiled
def shortest_tree(
    origin: int,
    times: np.ndarray,
    first: np.ndarray,
    links: np.ndarray,
    heads: np.ndarray,
    first_thru_node: int,
    tree: Tree,
) -> int:
    """Dijkstra 1959 from one origin with a binary heap; writes into the tree.

    Nodes below `first_thru_node` end a path but are not passed through, unless they are the origin.

    Args:
        times: (links,) non-negative. first, links: links leaving node v are links[first[v]:first[v + 1]].

    Returns:
        number of nodes reached, the valid length of `tree.settled`.
    """
    distance, parent, settled = tree
    nodes = len(first) - 1
    heap = np.empty(nodes, np.int64)
    place = np.full(nodes, -1, np.int64)  # in the heap; -2 once settled
    distance[:] = np.inf
    parent[:] = -1
    distance[origin] = 0.0
    heap[0], place[origin] = origin, 0
    size, count = 1, 0
    while size > 0:
        u = heap[0]
        size -= 1
        place[u] = -2
        if size > 0:  # the last entry sinks from the top
            w, i = heap[size], 0
            while True:
                child = 2 * i + 1
                if child >= size:
                    break
                if child + 1 < size and distance[heap[child + 1]] < distance[heap[child]]:
                    child += 1
                if distance[heap[child]] >= distance[w]:
                    break
                heap[i] = heap[child]
                place[heap[i]] = i
                i = child
            heap[i], place[w] = w, i
        settled[count] = u
        count += 1
        if u < first_thru_node and u != origin:
            continue
        for k in range(first[u], first[u + 1]):
            a = links[k]
            v = heads[a]
            candidate = distance[u] + times[a]
            if place[v] != -2 and candidate < distance[v]:
                if place[v] == -1:
                    place[v] = size
                    size += 1
                distance[v], parent[v] = candidate, a
                i = place[v]
                while i > 0 and distance[heap[(i - 1) // 2]] > candidate:
                    heap[i] = heap[(i - 1) // 2]
                    place[heap[i]] = i
                    i = (i - 1) // 2
                heap[i], place[v] = v, i
    return count


@compiled
def shortest_trees(
    origins: np.ndarray,
    times: np.ndarray,
    first: np.ndarray,
    links: np.ndarray,
    heads: np.ndarray,
    first_thru_node: int,
) -> tuple[np.ndarray, np.ndarray]:
    """distance and parent link, (origins, nodes) each; see `shortest_tree`."""
    nodes = len(first) - 1
    distance = np.empty((len(origins), nodes))
    parent = np.empty((len(origins), nodes), np.int64)
    settled = np.empty(nodes, np.int64)
    for i in range(len(origins)):
        tree = Tree(distance[i], parent[i], settled)
        shortest_tree(origins[i], times, first, links, heads, first_thru_node, tree)
    return distance, parent


@compiled
def all_or_nothing(
    demand: np.ndarray,
    times: np.ndarray,
    first: np.ndarray,
    links: np.ndarray,
    tails: np.ndarray,
    heads: np.ndarray,
    first_thru_node: int,
) -> tuple[np.ndarray, float]:
    """All trips on shortest paths at fixed times.

    Args:
        demand: (zones, zones), zone z being node z; the diagonal travels nowhere.

    Returns:
        flows (links,); total time of all trips, inf if a trip has no path.
    """
    zones, nodes = len(demand), len(first) - 1
    tree = Tree(np.empty(nodes), np.empty(nodes, np.int64), np.empty(nodes, np.int64))
    distance, parent, settled = tree
    flows = np.zeros(len(times))
    through = np.empty(nodes)
    total = 0.0
    for origin in range(zones):
        count = shortest_tree(origin, times, first, links, heads, first_thru_node, tree)
        through[:] = 0.0
        for z in range(zones):
            if z != origin and demand[origin, z] > 0.0:
                through[z] = demand[origin, z]
                total += demand[origin, z] * distance[z]
        for k in range(count - 1, 0, -1):  # leaves first
            v = settled[k]
            if through[v] > 0.0:
                flows[parent[v]] += through[v]
                through[tails[parent[v]]] += through[v]
    return flows, total
