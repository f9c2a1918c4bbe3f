"""The learning tasks: their formulas, and the numbers of the public data sets."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from datamodules.polynomial_costs import LearningTask, grid_paths, knapsack_values, tour_lengths
from diffcomb.errors import InvalidInstanceError

FILES = {"sp5x5": grid_paths, "knap32x2": knapsack_values, "tsp20": tour_lengths}
FOLDER = Path(os.environ.get("DIFFCOMB_DATA", "data")) / "pyepo"


@pytest.mark.parametrize("name", FILES)
def test_same_seed_draws_the_public_data(name: str):
    """Row for row (the files are shuffled), features and costs are those of the file."""
    if not (FOLDER / f"{name}.npz").exists():
        pytest.skip("needs pyepo data in DIFFCOMB_DATA")
    file, task = np.load(FOLDER / f"{name}.npz"), FILES[name](2000, seed=42)
    place = {row.round(9).tobytes(): k for k, row in enumerate(task.features)}
    rows = [place[x.round(9).tobytes()] for x in np.concatenate([file["x_train"], file["x_test"]])]
    costs = np.concatenate([file["c_train"], file["c_test"]])
    assert sorted(rows) == list(range(2000))
    np.testing.assert_array_equal(np.abs(task.costs[rows]), costs)


@pytest.mark.parametrize("draw", FILES.values())
def test_noise_free_costs_are_a_function_of_the_features(draw):
    """Without noise, two tasks of one seed agree where they overlap, and other seeds differ."""
    one, other, more = draw(5, noise=0.0, seed=1), draw(5, noise=0.0, seed=2), draw(5, noise=0.0, seed=1)
    np.testing.assert_array_equal(one.costs, more.costs)
    assert one.costs.shape == (5, one.problem.num_costs)
    assert np.abs(one.costs - other.costs).max() > 0.1


def test_knapsack_values_are_gains():
    """Maximised values come as negative whole costs."""
    task: LearningTask = knapsack_values(20)
    assert (task.costs < 0).all()
    np.testing.assert_array_equal(task.costs, np.round(task.costs))


def test_bad_arguments_are_refused():
    """A negative noise has no meaning."""
    with pytest.raises(InvalidInstanceError, match="noise"):
        grid_paths(3, noise=-0.1)
