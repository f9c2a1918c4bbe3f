"""The derivative of equilibrium flows is that of the re-solved equilibrium, by central differences."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from diffcomb.errors import InvalidInstanceError
from diffcomb.traffic import RoadNetwork, TrafficLayer
from tests.registry import seeded

ROADS = Path(os.environ.get("DIFFCOMB_DATA", "data")) / "roads"
NETWORKS = ["grid", "SiouxFalls", "Eastern-Massachusetts", "Anaheim"]
#: relative, small enough that no route comes into use: with a thousand links there are more of them
STEPS = {"Anaheim": 1e-7, "Chicago-Sketch": 1e-8}


def case(name: str, **weights: float) -> tuple[TrafficLayer, Tensor, Tensor]:
    """Layer, demand and free-flow times, moved by 0.1 % where the files have them tied.

    Anaheim has parallel routes of exactly equal free-flow times that carry next to nothing: there the
    derivative in those times is that of a kink.
    """
    if name != "grid" and not (ROADS / name).is_dir():
        pytest.skip("needs roads in DIFFCOMB_DATA")
    roads, demand = (
        RoadNetwork.grid(4, 4) if name == "grid" else RoadNetwork.from_tntp(ROADS / name, **weights)
    )
    times = torch.from_numpy(roads.free_flow_time)
    if name in ("Anaheim", "Chicago-Sketch"):
        times = times * (1 + 1e-3 * torch.randn(times.shape, generator=seeded(2), dtype=torch.float64))
    return TrafficLayer(roads), torch.from_numpy(demand), times


def check_differences(name: str, function, demand: Tensor, times: Tensor, rel: float = 1e-5) -> None:
    """Directional derivatives in demand and in times, by autograd and by central differences; what the
    rounding of the equilibria, 1e-15, may leave in a quotient is allowed for thirtyfold.
    """
    generator, step = seeded(0), STEPS.get(name, 1e-6)
    for k in range(2):
        inputs = [demand.clone().requires_grad_(), times.clone().requires_grad_()]
        value = function(*inputs)
        value.backward()
        along = inputs[k].detach() * torch.randn(inputs[k].shape, generator=generator, dtype=torch.float64)
        ends = []
        for sign in (1, -1):
            moved = [demand, times]
            moved[k] = moved[k] + sign * step * along
            ends.append(float(function(*moved)))
        rounding = 3e-14 * abs(value.item()) / step
        approximate = pytest.approx((ends[0] - ends[1]) / (2 * step), rel=rel, abs=rounding)
        assert float((inputs[k].grad * along).sum()) == approximate


@pytest.mark.parametrize("name", NETWORKS)
def test_flows(name):
    """d (random weights . flows)."""
    check_flows(name, *case(name))


@pytest.mark.slow
def test_flows_of_a_large_network():
    """Chicago, 2950 links and 387 zones: five equilibria to rounding."""
    weights = {"toll_weight": 0.02, "distance_weight": 0.04}
    check_flows("Chicago-Sketch", *case("Chicago-Sketch", **weights))


def check_flows(name: str, layer: TrafficLayer, demand: Tensor, times: Tensor) -> None:
    weights = torch.randn(layer.network.num_links, generator=seeded(1), dtype=torch.float64)
    check_differences(name, lambda d, t: layer(d, t) @ weights, demand, times)


@pytest.mark.parametrize("name", NETWORKS)
def test_value(name):
    """d Z / d demand is the travel time of each pair (Danskin), d Z / d time the flow-weighted BPR term."""
    layer, demand, times = case(name)
    check_differences(name, layer.value, demand, times, rel=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_total_travel_time(name):
    """Chained through flows and travel times, as a planner would."""
    layer, demand, times = case(name)

    def total(d: Tensor, t: Tensor) -> Tensor:
        flows = layer(d, t)
        return (flows * layer.travel_times(flows, t)).sum()

    check_differences(name, total, demand, times)


def test_two_parallel_roads_by_hand():
    """t1 = 1 + v1, t2 = 2 + v2, demand 3: v = (2, 1), dv1/dq = 1/2; free-flow time of road 2 moves
    v1 by (1 + v2 / 2) / 2 since its slope grows with it.
    """
    ends = torch.tensor([[0, 0, 2], [1, 2, 1]]).numpy()
    one = torch.ones(3, dtype=torch.float64).numpy()
    free = torch.tensor([1.0, 2.0, 0.0], dtype=torch.float64)
    b = torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64).numpy()
    roads = RoadNetwork(3, 2, ends[0], ends[1], free.numpy(), one, b, one, one, 0 * one, 2)
    demand = torch.tensor([[0.0, 3.0], [0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    free.requires_grad_()
    flows = TrafficLayer(roads)(demand, free)
    assert torch.allclose(flows, torch.tensor([2.0, 1.0, 1.0], dtype=torch.float64))
    flows[0].backward()
    assert demand.grad[0, 1].item() == pytest.approx(0.5)
    assert free.grad[1].item() == pytest.approx((1 + 0.5 * 1.0) / 2)


def test_batches_keep_shape_and_dtype():
    """(2, zones, zones) float32 in, (2, links) float32 out, equal to one at a time."""
    layer, demand, _ = case("grid")
    both = torch.stack([demand, 0.5 * demand]).float()
    flows = layer(both)
    assert flows.shape == (2, layer.network.num_links)
    assert flows.dtype == torch.float32
    assert torch.allclose(flows[1], layer(both[1]))
    with pytest.raises(InvalidInstanceError, match="takes demand"):
        layer(demand[:3])


@pytest.mark.parametrize("call", ["value", "flows"])
@pytest.mark.parametrize("through", [0, 2])
def test_pairs_without_a_route_have_gradient_0(call, through):
    """0 -> 2 -> 1 is one-way: behind a mask the pair 1 -> 0 must not turn every weight's gradient NaN."""
    ends = np.array([[0, 2], [2, 1]])
    one = np.ones(2)
    roads = RoadNetwork(3, 2, *ends, one, 5 * one, 0.15 * one, 4 * one, one, 0 * one, through)
    mask = torch.tensor([[0.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
    weights = torch.ones_like(mask).requires_grad_()
    layer = TrafficLayer(roads)
    {"value": layer.value, "flows": layer}[call](3 * weights * mask).sum().backward()
    assert bool(torch.isfinite(weights.grad).all())
    # d Z / d demand is the travel time of both links, d (v1 + v2) / d demand is 2
    time = 2 * (1 + 0.15 * (3 / 5) ** 4)
    assert weights.grad[0, 1].item() == pytest.approx(3 * time if call == "value" else 6)
    demand = mask.clone().requires_grad_()
    layer.value(demand).backward()
    assert demand.grad[1, 0] == 0
