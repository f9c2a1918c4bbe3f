"""Savings: the right numbers, intervals that shrink with data, pictures that are written."""

import numpy as np

from diffcomb.figures import save_route_figure, save_savings_figure, savings_table
from diffcomb.traffic import RoadNetwork


def test_savings_by_hand():
    """Every trip one unit faster: 1000 per 1000 trips, an interval without width."""
    best = np.ones((4, 3))
    table = savings_table({"free": best + 1.5, "learned": best + 0.5}, best)
    assert table["time"].tolist() == [2500.0, 1500.0, 1000.0]
    assert table["above_best"].tolist() == ["150.00%", "50.00%", "0.00%"]
    assert table["saved_over_free"][1] == "1e+03 [1e+03, 1e+03]"


def test_pictures_are_written(tmp_path):
    """A figure of two panels, and a map with and without coordinates."""
    rng = np.random.default_rng(0)
    slow, fast = 2 + rng.random((5, 4)), 1 + rng.random((5, 4))
    times = {"free_flow": slow, "learned": fast}
    save_savings_figure(tmp_path / "savings.png", {"here": times, "there": times})
    roads, _ = RoadNetwork.grid(3, 4)
    used = (rng.random(roads.num_links) < 0.2).astype(float)
    for name, network in (
        ("placed", roads),
        (
            "unplaced",
            RoadNetwork(
                roads.num_nodes,
                roads.num_zones,
                roads.tails,
                roads.heads,
                roads.free_flow_time,
                roads.capacity,
                roads.b,
                roads.power,
                roads.length,
                roads.fixed,
            ),
        ),
    ):
        path = tmp_path / f"{name}.png"
        save_route_figure(path, network, {"one": used, "two": used}, 1 + rng.random(roads.num_links))
        assert path.stat().st_size > 10_000
