"""User equilibrium to rounding: path flows by gradient projection, then Newton on the optimal face."""

from __future__ import annotations

import numpy as np

from diffcomb.errors import SolveFailedError
from diffcomb.traffic.assignment import Equilibrium
from diffcomb.traffic.equilibrium_face import EquilibriumFace, equilibrium_face
from diffcomb.traffic.network import RoadNetwork
from diffcomb.traffic.path_flows import PathFlows, flows_of, sweep

#: where the set of shortest routes is read off: far below the differences between routes that matter
_IDENTIFY = 1e-12


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
    paths = PathFlows.empty(network.num_zones**2)
    flows = np.zeros(network.num_links)
    relative = np.inf
    sweeps = 0
    while sweeps < max_sweeps:
        sweeps += 1
        paths = sweep(network, demand, flows, paths)
        # the sum of the paths, free of what the many small moves have rounded away
        flows = flows_of(paths, network.num_links)
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
