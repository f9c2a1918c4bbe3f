"""Pictures of tours are written, or refused when there is nothing to place the cities by."""

import pytest
import torch

from diffcomb.errors import InvalidInstanceError
from diffcomb.figures import save_tour_figure
from diffcomb.layers import DecisionLayer
from diffcomb.problems import TravelingSalesman
from tests.registry import seeded


def test_relaxed_tour_and_its_gradient_are_drawn(tmp_path):
    """A fractional point and the gradient through the layer give a non-empty picture."""
    problem = TravelingSalesman.from_coordinates(torch.rand(9, 2, generator=seeded(), dtype=torch.float64))
    theta = problem.costs.clone().requires_grad_()
    x = DecisionLayer(problem, rho=float(theta.detach().mean()), decision="relaxed")(theta)
    (x * theta.detach()).sum().backward()
    save_tour_figure(tmp_path / "tour.png", problem, x, theta.grad)
    assert (tmp_path / "tour.png").stat().st_size > 5000


def test_without_coordinates_it_is_refused(tmp_path):
    """The message names the constructor that keeps coordinates."""
    problem = TravelingSalesman(5)
    with pytest.raises(InvalidInstanceError, match="from_coordinates"):
        save_tour_figure(tmp_path / "tour.png", problem, torch.zeros(problem.num_costs))
