"""Odd sets violated by a fractional matching (Padberg & Rao 1982).

With slacks s_v = 1 - x(delta(v)) carried by an extra node r, x(E(S)) <= (|S| - 1) / 2 reads
x(delta(S)) + s(S) >= 1 for odd S: a minimum odd cut, found among the n cuts of a cut tree.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

#: scipy's maximum flow is integral: capacities are multiples of 1/_UNITS
_UNITS = 2**28
_TOLERANCE = 1e-7


def violated_odd_sets(
    tails: np.ndarray, heads: np.ndarray, x: np.ndarray, num_nodes: int
) -> list[np.ndarray]:
    """Masks (num_nodes,) of odd sets S with x(E(S)) > (|S| - 1) / 2 + 1e-7; empty only if there are none.

    Cheap first: odd components of the fractional support. Only if they show nothing is the cut tree built.
    """
    fractional = (x > _TOLERANCE) & (x < 1 - _TOLERANCE)
    if not fractional.any():
        return []
    graph = sparse.csr_array(
        (np.ones(fractional.sum()), (tails[fractional], heads[fractional])), shape=(num_nodes, num_nodes)
    )
    _, labels = connected_components(graph, directed=False)
    candidates = [labels == label for label in np.unique(labels[tails[fractional]])]
    found = [inside for inside in candidates if _violation(tails, heads, x, inside) > _TOLERANCE]
    return found or _odd_cuts(tails, heads, x, num_nodes)


def _violation(tails: np.ndarray, heads: np.ndarray, x: np.ndarray, inside: np.ndarray) -> float:
    size = int(inside.sum())
    if size < 3 or size % 2 == 0:
        return -np.inf
    return float(x[inside[tails] & inside[heads]].sum() - (size - 1) / 2)


def _odd_cuts(tails: np.ndarray, heads: np.ndarray, x: np.ndarray, num_nodes: int) -> list[np.ndarray]:
    """Odd sets from the fundamental cuts of Gusfield's cut tree (1990), one maximum flow a node."""
    slack = 1.0 - np.bincount(tails, x, num_nodes) - np.bincount(heads, x, num_nodes)
    nodes = np.arange(num_nodes)
    u = np.concatenate([tails, nodes])
    v = np.concatenate([heads, np.full(num_nodes, num_nodes)])
    capacity = np.concatenate([x, slack.clip(0)])
    units = np.round(capacity * _UNITS).astype(np.int32)
    used = units > 0
    u, v, units = u[used], v[used], units[used]
    size = num_nodes + 1
    graph = sparse.csr_array(
        (np.concatenate([units, units]), (np.concatenate([u, v]), np.concatenate([v, u]))),
        shape=(size, size),
    )
    graph.indices, graph.indptr = graph.indices.astype(np.int32), graph.indptr.astype(np.int32)
    parent = np.zeros(size, dtype=np.int64)
    for s in range(1, size):
        t = int(parent[s])
        flow = maximum_flow(graph, s, t).flow
        residual = sparse.csr_array(graph - flow)
        residual.eliminate_zeros()
        side = np.zeros(size, dtype=bool)
        side[breadth_first_order(residual, s, return_predecessors=False)] = True
        moved = side & (parent == t)
        moved[s] = False
        parent[moved] = s
        if side[parent[t]]:
            parent[s], parent[t] = parent[t], s
    return [
        inside
        for inside in (_without_slack_node(_subtree(parent, root)) for root in range(1, size))
        if _violation(tails, heads, x, inside) > _TOLERANCE
    ]


def _subtree(parent: np.ndarray, root: int) -> np.ndarray:
    """Nodes whose path to node 0 passes through root."""
    inside = np.zeros(len(parent), dtype=bool)
    for node in range(len(parent)):
        steps, here = 0, node
        while here not in (root, 0) and steps < len(parent):
            here, steps = int(parent[here]), steps + 1
        inside[node] = here == root
    return inside


def _without_slack_node(side: np.ndarray) -> np.ndarray:
    """The side of a cut that does not hold the slack node r (the last one), as a set of nodes."""
    return (~side if side[-1] else side)[:-1]
