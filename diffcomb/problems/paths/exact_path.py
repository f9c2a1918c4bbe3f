"""Shortest paths for costs of any sign and magnitude, in arithmetic of 106 bits, compiled.

A sum is kept as two float64 numbers, the nearest one and what it misses (Dekker 1971): ordinary costs
beside forbidden ones at 1e15 are not lost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.problems.paths.arcs import Arcs

FINISHED, PAUSED, NEGATIVE_CYCLE = 0, 1, -1


class Labels(NamedTuple):
    """Distances (nodes,) as high + low, the arc into each node (-1 where none), and the nodes that wait
    in a ring: ends = (its first place, how many)."""

    high: np.ndarray
    low: np.ndarray
    arc_into: np.ndarray
    entered: np.ndarray
    waiting: np.ndarray
    queue: np.ndarray
    ends: np.ndarray

    @staticmethod
    def at(source: int, num_nodes: int) -> Labels:
        """0 at the source, infinite elsewhere; the source waits."""
        high, queue = np.full(num_nodes, np.inf), np.empty(num_nodes, np.int64)
        high[source], queue[0] = 0.0, source
        none, never = np.full(num_nodes, -1), np.zeros(num_nodes, np.int64)
        waiting = np.arange(num_nodes) == source
        return Labels(high, np.zeros(num_nodes), none, never, waiting, queue, np.array([0, 1]))


@compiled
def relax(cost: np.ndarray, arcs: Arcs, source: int, labels: Labels, budget: int) -> int:
    """Bellman, Ford and Moore's labels for about `budget` arcs; resumable.

    Args:
        cost: (n,) with sums that do not overflow.

    Returns:
        FINISHED, PAUSED, or NEGATIVE_CYCLE where one can be reached from the source.
    """
    high, low, ends = labels.high, labels.low, labels.ends
    nodes, scanned = len(high), 0
    while ends[1] > 0:
        if scanned >= budget:
            return PAUSED
        u = labels.queue[ends[0]]
        ends[0] = (ends[0] + 1) % nodes
        ends[1] -= 1
        labels.waiting[u] = False
        scanned += 1 + arcs.first[u + 1] - arcs.first[u]
        for k in range(arcs.first[u], arcs.first[u + 1]):
            arc = arcs.by_tail[k]
            v, c = arcs.heads[arc], cost[arc]
            total = high[u] + c
            part = total - high[u]
            missed = (high[u] - (total - part)) + (c - part) + low[u]
            nearest = total + missed
            rest = missed - (nearest - total)
            if nearest > high[v] or (nearest == high[v] and rest >= low[v]):
                continue
            high[v], low[v], labels.arc_into[v] = nearest, rest, arc
            if v == source:
                return NEGATIVE_CYCLE
            if not labels.waiting[v]:
                labels.entered[v] += 1
                if labels.entered[v] > nodes:
                    return NEGATIVE_CYCLE
                labels.waiting[v] = True
                labels.queue[(ends[0] + ends[1]) % nodes] = v
                ends[1] += 1
    return FINISHED
