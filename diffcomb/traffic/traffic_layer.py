"""A differentiable traffic simulator: equilibrium link flows of a demand, with their exact derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from diffcomb.errors import InvalidInstanceError
from diffcomb.traffic.assignment import Equilibrium
from diffcomb.traffic.equilibrium_face import EquilibriumFace, path_sums
from diffcomb.traffic.network import RoadNetwork
from diffcomb.traffic.refine import refine


class _Flows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, demand: Tensor, free_flow_time: Tensor, network: RoadNetwork) -> Tensor:
        town, equilibrium, face = _solve(demand, free_flow_time, network)
        ctx.solved = town, equilibrium, face
        return torch.from_numpy(equilibrium.flows).to(demand.device, demand.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        town, equilibrium, face = ctx.solved
        (grad,) = grads
        g = grad.double().cpu().numpy()
        slopes = town.slopes(equilibrium.flows)
        moved = face.project(slopes, g)
        to_demand = path_sums(face.parent, town.tails, g - slopes * moved, town.num_zones)
        to_time = -moved * (1 + town.b * (equilibrium.flows / town.capacity) ** town.power)
        return _like(to_demand, grad), _like(to_time, grad), None


class _Value(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, demand: Tensor, free_flow_time: Tensor, network: RoadNetwork) -> Tensor:
        ctx.solved = _solve(demand, free_flow_time, network)
        return torch.tensor(ctx.solved[1].value, dtype=demand.dtype, device=demand.device)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        town, equilibrium, face = ctx.solved
        (grad,) = grads
        ratio = equilibrium.flows / town.capacity
        to_time = equilibrium.flows * (1 + town.b * ratio**town.power / (town.power + 1))
        distance = face.distance[:, : town.num_zones]
        # no demand can use a pair without a route; infinity times a mask's zero would be NaN
        to_demand = np.where(np.isfinite(distance), distance, 0.0)
        return _like(to_demand, grad) * grad, _like(to_time, grad) * grad, None


class TrafficLayer(nn.Module):
    """flows = layer(demand, free_flow_time): the user equilibrium, a convex program,

        v* = argmin Z(v) = sum_a int_0^v_a t_a(x) dx   over flows v that carry the demand,

    differentiated through its KKT system on the face of routes in use; see `EquilibriumFace`. Link
    flows are unique where times grow with flow, and smooth where every shortest route is in use; at
    the demands where a route comes into use the derivative is one of the two one-sided ones. Routes that
    tie at free flow and carry next to nothing are close to such a kink: the derivative in their times is
    then huge, and good for tiny changes only.

    Args:
        network: links, capacities and exponents; its own free-flow times are the default.
    """

    def __init__(self, network: RoadNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, demand: Tensor, free_flow_time: Tensor | None = None) -> Tensor:
        """demand (..., zones, zones), free_flow_time (..., links) -> flows (..., links)."""
        return self._each(_Flows, demand, free_flow_time)

    def value(self, demand: Tensor, free_flow_time: Tensor | None = None) -> Tensor:
        """Z(v*), (...): gradient the travel time of each pair, 0 where there is no route, and
        int_0^v* dt/d(free-flow time).
        """
        return self._each(_Value, demand, free_flow_time)

    def travel_times(self, flows: Tensor, free_flow_time: Tensor | None = None) -> Tensor:
        """t(flows), differentiable in both: with `forward`, equilibrium travel times."""
        free, capacity, b, power, fixed = (
            torch.as_tensor(array, dtype=flows.dtype, device=flows.device)
            for array in (
                self.network.free_flow_time,
                self.network.capacity,
                self.network.b,
                self.network.power,
                self.network.fixed,
            )
        )
        free = free if free_flow_time is None else free_flow_time
        return free * (1 + b * (flows / capacity) ** power) + fixed

    def _each(self, function: Any, demand: Tensor, free_flow_time: Tensor | None) -> Tensor:
        if free_flow_time is None:
            free_flow_time = torch.as_tensor(
                self.network.free_flow_time, dtype=demand.dtype, device=demand.device
            )
        shape, zones, links = demand.shape[:-2], self.network.num_zones, self.network.num_links
        if demand.shape[-2:] != (zones, zones) or free_flow_time.shape[-1] != links:
            raise InvalidInstanceError(
                f"This network takes demand (..., {zones}, {zones}) and times (..., {links}), got"
                f" {tuple(demand.shape)} and {tuple(free_flow_time.shape)}."
            )
        trips = demand.reshape(-1, zones, zones)
        times = free_flow_time.expand(*shape, links).reshape(-1, links)
        solved = [function.apply(d, t, self.network) for d, t in zip(trips, times, strict=True)]
        return torch.stack(solved).reshape((*shape, *solved[0].shape))


def _solve(
    demand: Tensor, free_flow_time: Tensor, network: RoadNetwork
) -> tuple[RoadNetwork, Equilibrium, EquilibriumFace]:
    town = network.with_(free_flow_time=_array(free_flow_time))
    return town, *refine(town, _array(demand))


def _array(tensor: Tensor) -> np.ndarray:
    return np.ascontiguousarray(tensor.detach().double().cpu().numpy())


def _like(array: np.ndarray, tensor: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(tensor.device, tensor.dtype)
