"""Equilibria are those published; shortest trees are those of scipy; routes respect closed zones."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from diffcomb.data import read_tntp_flows, read_tntp_network
from diffcomb.errors import InfeasibleError, InvalidInstanceError
from diffcomb.traffic import RoadNetwork, assign, refine
from tests.data.formats import NETWORK, TRIPS

ROADS = Path(os.environ.get("DIFFCOMB_DATA", "data")) / "roads"


def published(name: str, **weights: float) -> tuple[RoadNetwork, np.ndarray]:
    if not (ROADS / name).is_dir():
        pytest.skip("needs roads in DIFFCOMB_DATA")
    return RoadNetwork.from_tntp(ROADS / name, **weights)


def test_trees_are_those_of_scipy():
    """Distances of a 5 x 6 grid with random times, and parents that add up to them."""
    roads, _ = RoadNetwork.grid(5, 6)
    times = np.random.default_rng(1).random(roads.num_links)
    distance, parent = roads.trees(np.arange(30), times)
    graph = sparse.csr_array((times, (roads.tails, roads.heads)), shape=(30, 30))
    assert np.allclose(distance, sparse.csgraph.dijkstra(graph), rtol=1e-13)
    for origin, node in ((0, 29), (17, 3)):
        total, here = 0.0, node
        while here != origin:
            total += times[parent[origin, here]]
            here = roads.tails[parent[origin, here]]
        assert np.isclose(total, distance[origin, node], rtol=1e-13)


def test_zones_are_not_passed_through():
    """0 -> 1 -> 2 is shorter than 0 -> 3 -> 2, but 1 is a zone below the first through node."""
    ends = np.array([[0, 1], [1, 2], [0, 3], [3, 2]])
    one = np.ones(4)
    times = np.array([1.0, 1.0, 2.0, 2.0])
    for first_thru_node, expected in ((0, [1, 1, 0, 0]), (3, [0, 0, 1, 1])):
        roads = RoadNetwork(
            4, 3, ends[:, 0], ends[:, 1], times, one, 0 * one, one, one, 0 * one, first_thru_node
        )
        demand = np.zeros((3, 3))
        demand[0, 2] = 1.0
        assert roads.load(demand, times)[0].tolist() == expected


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("SiouxFalls", {}),
        ("Anaheim", {}),
        ("Chicago-Sketch", {"toll_weight": 0.02, "distance_weight": 0.04}),
    ],
)
def test_equilibrium_is_the_published_one(name, weights):
    """At a relative gap of 1e-4 the objective is within 1e-4 of the published flows' and the link flows
    within 2 % in total; the published flows themselves have our costs and no gap.
    """
    roads, demand = published(name, **weights)
    read = read_tntp_network(next((ROADS / name).glob("*_net.tntp")))
    volumes, costs = read_tntp_flows(next((ROADS / name).glob("*_flow.tntp")), read)
    times = roads.travel_times(volumes)
    assert np.allclose(times, costs, rtol=1e-12)
    assert abs(1 - roads.load(demand, times)[1] / (times @ volumes)) < 1e-12
    found = assign(roads, demand, gap=1e-4)
    assert found.relative_gap <= 1e-4
    assert 0 <= found.value / roads.beckmann(volumes) - 1 <= 1e-4
    assert np.abs(found.flows - volumes).sum() <= 0.02 * volumes.sum()


@pytest.mark.parametrize("name", ["SiouxFalls", "Anaheim"])
def test_refined_times_are_the_published_ones(name):
    """To 1e-7, and no better objective is published. (Link flows agree as far as times tell them apart:
    on nearly empty links ten vehicles change a time by 1e-8.)
    """
    roads, demand = published(name)
    read = read_tntp_network(next((ROADS / name).glob("*_net.tntp")))
    volumes, costs = read_tntp_flows(next((ROADS / name).glob("*_flow.tntp")), read)
    found, _ = refine(roads, demand)
    assert found.relative_gap < 1e-14
    assert np.abs(found.times - costs).max() < 1e-7
    assert found.value <= roads.beckmann(volumes) * (1 + 1e-14)


def test_eastern_massachusetts_has_no_published_flows_but_both_methods_agree():
    """Frank-Wolfe at 1e-4 and gradient projection with Newton at rounding give one objective."""
    roads, demand = published("Eastern-Massachusetts")
    coarse, (fine, _) = assign(roads, demand, gap=1e-4), refine(roads, demand)
    assert coarse.relative_gap <= 1e-4
    assert fine.relative_gap < 1e-14
    assert 0 <= coarse.value / fine.value - 1 <= 1e-4


def test_bad_demand_is_refused():
    """Shape, sign, and a pair without a route."""
    roads, demand = RoadNetwork.grid(2, 3)
    for bad in (demand[:2], -demand, np.full_like(demand, np.nan)):
        with pytest.raises(InvalidInstanceError):
            assign(roads, bad)
    one_way = RoadNetwork(2, 2, *np.array([[0], [1]]), *np.ones((5, 1)), np.zeros(1))
    with pytest.raises(InfeasibleError):
        assign(one_way, np.array([[0.0, 0.0], [1.0, 0.0]]))


def test_a_network_and_its_trips_must_have_the_same_zones(tmp_path):
    """Two files of one folder that do not belong together are refused, as is a folder without trips."""
    (tmp_path / "t_net.tntp").write_text(NETWORK)
    (tmp_path / "t_trips.tntp").write_text(TRIPS)
    assert RoadNetwork.from_tntp(tmp_path)[1].tolist() == [[0, 10], [2, 0]]
    (tmp_path / "t_trips.tntp").write_text(TRIPS.replace("ZONES> 2", "ZONES> 3"))
    with pytest.raises(InvalidInstanceError, match=r"t_net\.tntp has 2 zones, but t_trips\.tntp has 3"):
        RoadNetwork.from_tntp(tmp_path)
    (tmp_path / "t_trips.tntp").unlink()
    with pytest.raises(InvalidInstanceError, match=r"No file .*t_trips"):
        RoadNetwork.from_tntp(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"power": 0.5}, "A power between 0 and 1"),
        ({"capacity": 0.0}, "Capacities must be positive"),
        ({"b": -1.0}, "not negative"),
        ({"length": float("inf")}, "length needs one finite number for each link"),
        ({"num_zones": 4}, "3 nodes cannot have 4 zones"),
        ({"first_thru_node": 0.5}, "first_thru_node must be a whole number"),
    ],
)
def test_impossible_roads_are_refused(changes, message):
    """In one sentence, before anything is computed with them."""
    parts = {name: np.ones(1) for name in ("free_flow_time", "capacity", "b", "power", "length", "fixed")}
    parts |= {name: np.full(1, value) if name in parts else value for name, value in changes.items()}
    parts = {"num_nodes": 3, "num_zones": 2, **parts}
    with pytest.raises(InvalidInstanceError, match=message):
        RoadNetwork(tails=np.array([0]), heads=np.array([1]), **parts)
