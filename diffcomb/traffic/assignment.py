"""User equilibrium by the bi-conjugate Frank-Wolfe method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffcomb.errors import SolveFailedError
from diffcomb.traffic.network import RoadNetwork

#: the share a conjugate direction may keep of the previous one
_MOST_OF_PREVIOUS = 0.99


@dataclass(frozen=True)
class Equilibrium:
    """Flows at which no driver gains by another route (Wardrop 1952), up to `relative_gap`.

    Attributes:
        flows, times: (links,) float64.
        value: Z(flows), see `RoadNetwork.beckmann`.
        relative_gap: 1 - (time of all trips on shortest paths) / (time of all trips), at `times`.
    """

    flows: np.ndarray
    times: np.ndarray
    value: float
    relative_gap: float
    iterations: int


def assign(
    network: RoadNetwork, demand: np.ndarray, *, gap: float = 1e-4, max_iterations: int = 5000
) -> Equilibrium:
    """min Z(v) over flows v that carry `demand`: the user equilibrium.

    Each step moves towards a mixture of the shortest paths of now and the targets of the last two
    steps, conjugate to both directions in the Hessian of Z (Mitradjieva & Lindberg 2013,
    doi:10.1287/trsc.1120.0409), with an exact line search.

    Args:
        demand: (zones, zones), origin by row.
        gap: relative gap to stop at. 1e-4 is usual in practice; below 1e-6 `refine` is far faster.

    Raises:
        InvalidInstanceError, InfeasibleError: of the demand. SolveFailedError: gap not reached.
    """
    flows, _ = network.load(demand, network.travel_times(np.zeros(network.num_links)))
    targets: list[np.ndarray] = []  # of the last steps, latest first
    step = 0.0
    relative = np.inf
    for iteration in range(max_iterations):
        times = network.travel_times(flows)
        nearest, shortest = network.load(demand, times)
        total = float(times @ flows)
        relative = 1 - shortest / total if total > 0 else 0.0
        if relative <= gap:
            return Equilibrium(flows, times, network.beckmann(flows), relative, iteration)
        target = _conjugate_target(network.slopes(flows), flows, nearest, targets, step)
        if times @ (target - flows) >= 0:
            target, targets = nearest, []
        step = _line_search(network, flows, target - flows)
        flows = flows + step * (target - flows)
        # after a full step the history says nothing about where we are
        targets = [] if step > 1 - 1e-9 else [target, *targets[:1]]
    raise SolveFailedError(
        f"Relative gap {relative:.1e} after {max_iterations} iterations, {gap:.1e} was asked for;"
        " raise max_iterations, or use refine."
    )


def _conjugate_target(
    slopes: np.ndarray, flows: np.ndarray, nearest: np.ndarray, targets: list[np.ndarray], step: float
) -> np.ndarray:
    """The point to move towards: a convex combination of `nearest` and the earlier targets."""
    if not targets:
        return nearest
    ahead, last = nearest - flows, targets[0] - flows
    if len(targets) == 1:
        numerator = float(last @ (slopes * ahead))
        denominator = float(last @ (slopes * (nearest - targets[0])))
        share = numerator / denominator if denominator != 0 else 0.0
        share = min(max(share, 0.0), _MOST_OF_PREVIOUS)
        return share * targets[0] + (1 - share) * nearest
    before = step * targets[0] + (1 - step) * targets[1] - flows
    denominator = float(before @ (slopes * (targets[1] - targets[0])))
    mu = max(0.0, -float(before @ (slopes * ahead)) / denominator) if denominator != 0 else 0.0
    denominator = float(last @ (slopes * last))
    nu = -float(last @ (slopes * ahead)) / denominator if denominator != 0 else 0.0
    nu = max(0.0, nu + mu * step / (1 - step))
    return (nearest + nu * targets[0] + mu * targets[1]) / (1 + nu + mu)


def _line_search(network: RoadNetwork, flows: np.ndarray, direction: np.ndarray) -> float:
    """The zero of d'Z(v + step d) in [0, 1], by bisection to machine accuracy of 1e-10."""
    if network.travel_times(flows + direction) @ direction <= 0:
        return 1.0
    low, high = 0.0, 1.0
    while high - low > 1e-10:
        middle = (low + high) / 2
        if network.travel_times(flows + middle * direction) @ direction <= 0:
            low = middle
        else:
            high = middle
    return low if low > 0 else high
