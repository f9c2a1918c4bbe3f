"""Hours on roads: seeded, cached, consistent between graphs and trips; corridors keep what they promise."""

import numpy as np
import torch

from datamodules import RoadsDataModule, RoadTrips
from datamodules.road_scenarios import LINK_FEATURES, NODE_FEATURES, generate_road_scenarios
from datamodules.road_tours import plan_tour
from diffcomb.problems import TravelingSalesman
from diffcomb.traffic import RoadNetwork


def test_hours_are_seeded_and_never_faster_than_free_flow():
    """The same seed, the same hours; equilibrium times are at least the free-flow times."""
    roads, demand = RoadNetwork.grid(4, 4)
    first, second = (generate_road_scenarios(roads, demand, 3, seed=1) for _ in range(2))
    assert torch.equal(first.costs, second.costs)
    assert first.nodes.shape == (3, 16, len(NODE_FEATURES))
    assert first.links.shape == (3, roads.num_links, len(LINK_FEATURES))
    assert bool((first.costs >= first.links[..., 0] - 1e-6).all())
    assert bool(torch.isfinite(first.links).all())
    assert not torch.equal(first.costs, generate_road_scenarios(roads, demand, 3, seed=2).costs)


def test_corridors_keep_the_fastest_route():
    """Whenever it takes at most `detour` times the free-flow time, by Dijkstra on the whole network."""
    family = RoadTrips("grid", detour=1.5, rows=5, cols=5)
    roads, free = family.roads, family.roads.free_flow_time
    rng = np.random.default_rng(0)
    smaller, promised = 0, 0
    for pair in family.pairs(12, torch.Generator().manual_seed(0)):
        trip = family.trip(*pair)
        smaller += len(trip.links) < roads.num_links
        shortest = roads.trees(np.array([trip.origin]), free)[0][0, trip.destination]
        for _ in range(5):
            times = free * (1 + rng.exponential(0.6, roads.num_links))
            fastest = roads.trees(np.array([trip.origin]), times)[0][0, trip.destination]
            value = float(trip.problem.solve(torch.from_numpy(times[trip.links])).value)
            if value <= 1.5 * shortest:
                promised += 1
                assert np.isclose(value, fastest, rtol=1e-12)
    assert smaller > 0
    assert promised > 5


def test_batches_match_their_trips(tmp_path):
    """Costs of a trip are the hour's times on its links; decisions are optimal; the cache is read back."""
    family = RoadTrips("grid", rows=4, cols=4)

    def module() -> RoadsDataModule:
        sizes = {"num_train": 4, "num_val": 2, "num_test": 2, "num_pairs": 6, "trips_per_hour": 3}
        data = RoadsDataModule(family, batch_size=2, cache_dir=str(tmp_path), num_stops=4, **sizes)
        data.prepare_data()
        data.setup()
        return data

    batch = next(iter(module().test_dataloader()))
    assert len(batch.problem) == 6
    sizes = [problem.num_costs for problem in batch.problem]
    for problem, links, costs, z in zip(
        batch.problem, batch.link_index, batch.costs.split(sizes), batch.decisions.split(sizes), strict=True
    ):
        assert torch.equal(batch.times[links], costs)
        assert torch.equal(problem.solve(costs).decision, z)
    files = sorted(tmp_path.iterdir())
    again = next(iter(module().test_dataloader()))
    assert torch.equal(again.costs, batch.costs)
    assert sorted(tmp_path.iterdir()) == files


def test_tours_visit_every_stop_at_the_least_time():
    """On two-way roads with equal times both ways: the optimum of the travelling salesman problem."""
    roads, _ = RoadNetwork.grid(4, 5)
    times, stops = roads.free_flow_time, np.array([0, 4, 7, 15, 19])
    used = plan_tour(roads, stops, times)
    visited = np.unique(np.concatenate([roads.tails[used > 0], roads.heads[used > 0]]))
    assert set(stops) <= set(visited)
    legs = roads.trees(stops, times)[0][:, stops]
    i, j = np.triu_indices(5, 1)
    optimum = float(TravelingSalesman(5).solve(torch.from_numpy(legs[i, j])).value)
    assert np.isclose(used @ times, optimum, rtol=1e-12)
