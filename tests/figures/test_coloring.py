"""Pictures of colourings are written, for proper, broken and relaxed decisions."""

import numpy as np
import torch

from diffcomb.figures import save_coloring_figure
from diffcomb.figures.coloring import spring_layout
from diffcomb.problems import GraphColoring
from tests.registry import seeded


def test_the_picture_shows_every_decision(tmp_path):
    """A PNG of one panel a decision appears; titles count conflicts."""
    problem = GraphColoring([(0, 1), (1, 2), (0, 2), (2, 3)], 4, 3)
    proper = problem.solve(problem.random_costs(1, generator=seeded())).decision[0]
    broken = torch.from_numpy(problem.decision_of(np.zeros(4, dtype=int)))
    relaxed = torch.full((12,), 1 / 3)
    path = tmp_path / "colouring.png"
    save_coloring_figure(path, problem, {"exact": proper, "broken": broken, "relaxed": relaxed})
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert len(problem.conflicts(broken)) == 4
    assert len(problem.conflicts(proper)) == 0


def test_the_layout_repeats_and_draws_edges_short():
    """Same graph, same positions; adjacent vertices end up closer than others on average."""
    edges = np.array([(i, i + 1) for i in range(19)])
    first, second = spring_layout(20, edges), spring_layout(20, edges)
    assert np.array_equal(first, second)
    distance = np.linalg.norm(first[:, None] - first[None], axis=-1)
    assert distance[edges[:, 0], edges[:, 1]].mean() < 0.5 * distance.mean()
