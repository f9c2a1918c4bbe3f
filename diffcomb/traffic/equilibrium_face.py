"""The face of the equilibrium program: the directions in which flow can move between routes in use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from diffcomb.compiled import compiled
from diffcomb.traffic.network import RoadNetwork

#: reduced cost, relative to the longest trip, below which a link counts as part of a shortest route
_TIGHT = 1e-8


@dataclass(frozen=True)
class EquilibriumFace:
    """Link flows of the face are v + B y, B an independent set of cycles of shortest routes.

    A first-order change (demand by dd, link times at fixed flow by s) moves the equilibrium by

        dv = Δ dd - B (B'DB)^-1 B' (D Δ dd + s),   D = diag(t'(v)),

    Δ dd being the change carried by one shortest tree per origin: the KKT system of the program on its
    minimal face. Exact where every shortest route is in use (strict complementarity).

    Attributes:
        cycles: (links, m) float64, B.
        distance, parent: (zones, nodes), the trees.
    """

    cycles: np.ndarray
    distance: np.ndarray
    parent: np.ndarray

    def project(self, slopes: np.ndarray, s: np.ndarray) -> np.ndarray:
        """B (B'DB)^-1 B' s, (links,); of several solutions (links without congestion) the shortest y."""
        if self.cycles.shape[1] == 0:
            return np.zeros_like(s)
        # columns scaled to unit curvature: t' of empty and of full links differ by many powers of ten
        weighted = np.sqrt(slopes)[:, None] * self.cycles
        size = np.sqrt((weighted**2).sum(0))
        size[size == 0] = 1.0
        cycles = self.cycles / size
        curvature = cycles.T @ (slopes[:, None] * cycles)
        right = cycles.T @ s
        try:
            y = linalg.cho_solve(linalg.cho_factor(curvature), right)
        except linalg.LinAlgError:
            y = np.linalg.lstsq(curvature, right, rcond=1e-12)[0]
        return cycles @ y


def equilibrium_face(network: RoadNetwork, demand: np.ndarray, times: np.ndarray) -> EquilibriumFace:
    """The face at equilibrium `times`: cycles closed by the shortest links that are outside the trees."""
    distance, parent = network.trees(np.arange(network.num_zones), times)
    destination = demand > 0
    np.fill_diagonal(destination, False)
    longest = float(distance[:, : network.num_zones][destination].max(initial=0.0))
    columns = []
    for origin in np.flatnonzero(destination.any(1)):
        from_origin = distance[origin]
        reached = np.isfinite(from_origin[network.tails])
        allowed = (network.tails >= network.first_thru_node) | (network.tails == origin)
        reduced = np.full(network.num_links, np.inf)
        inside = reached & allowed
        reduced[inside] = (
            from_origin[network.tails[inside]] + times[inside] - from_origin[network.heads[inside]]
        )
        tight = (reduced <= _TIGHT * longest) & (network.heads != origin)
        useful = _leads_somewhere(network, destination[origin], tight, from_origin)
        closing = np.flatnonzero(tight & useful[network.heads])
        closing = closing[parent[origin, network.heads[closing]] != closing]
        for link in closing:
            column = np.zeros(network.num_links)
            column[link] = 1.0
            _add_path(column, parent[origin], network.tails, int(network.tails[link]), 1.0)
            _add_path(column, parent[origin], network.tails, int(network.heads[link]), -1.0)
            columns.append(column)
    if not columns:
        return EquilibriumFace(np.zeros((network.num_links, 0)), distance, parent)
    cycles = np.unique(np.array(columns), axis=0).T
    # several origins share cycles: keep an independent set
    _, r, order = linalg.qr(cycles, mode="economic", pivoting=True)
    diagonal = np.abs(np.diag(r))
    rank = int((diagonal > 1e-9 * diagonal[0]).sum())
    return EquilibriumFace(np.ascontiguousarray(cycles[:, order[:rank]]), distance, parent)


def _leads_somewhere(
    network: RoadNetwork, destination: np.ndarray, tight: np.ndarray, distance: np.ndarray
) -> np.ndarray:
    """(nodes,) bool: a destination can be reached from the node on tight links."""
    useful = np.zeros(network.num_nodes, dtype=bool)
    useful[: len(destination)] = destination
    links = np.flatnonzero(tight)
    links = links[np.argsort(-distance[network.tails[links]], kind="stable")]
    before = -1
    while before != useful.sum():  # one pass, but for links without travel time
        before = useful.sum()
        for link in links:
            useful[network.tails[link]] |= useful[network.heads[link]]
    return useful


def _add_path(column: np.ndarray, parent: np.ndarray, tails: np.ndarray, node: int, amount: float) -> None:
    while parent[node] >= 0:
        column[parent[node]] += amount
        node = int(tails[parent[node]])


@compiled
def path_sums(parent: np.ndarray, tails: np.ndarray, weights: np.ndarray, zones: int) -> np.ndarray:
    """Δ' weights: sum of link weights along the tree path of every pair of zones, (zones, zones)."""
    sums = np.zeros((zones, zones))
    for origin in range(zones):
        for z in range(zones):
            node = z
            while parent[origin, node] >= 0:
                sums[origin, z] += weights[parent[origin, node]]
                node = tails[parent[origin, node]]
    return sums
