"""Gradients with respect to rows and right-hand sides."""

import numpy as np
import pytest
import torch

from diffcomb.errors import SolveFailedError, UnsupportedError
from diffcomb.layers import DecisionLayer, ParametricLayer
from diffcomb.problems import Knapsack, ShortestPath, TravelingSalesman
from tests.registry import seeded

WEIGHTS = np.random.default_rng(0).uniform(1, 9, (2, 7))
KNAPSACK = Knapsack(WEIGHTS, [14.3, 12.1])


def _costs(batch: int) -> torch.Tensor:
    return KNAPSACK.random_costs(batch, generator=seeded(4)).requires_grad_()


def test_without_parameters_it_is_the_relaxed_layer():
    """Same x as DecisionLayer on the problem's own rows."""
    theta = _costs(3)
    expected = DecisionLayer(KNAPSACK, rho=2.0, decision="relaxed")(theta)
    torch.testing.assert_close(ParametricLayer(KNAPSACK, rho=2.0)(theta), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("batch", [1, 2])
def test_gradcheck_in_weights_and_capacities(batch):
    """gradcheck passes in theta, G and h, with rows of their own per instance."""
    layer = ParametricLayer(KNAPSACK, rho=3.0)
    generator = seeded(5)
    G = torch.as_tensor(WEIGHTS) + 0.1 * torch.rand(batch, 2, 7, generator=generator, dtype=torch.float64)
    h = torch.tensor([14.3, 12.1]).double() + torch.rand(batch, 2, generator=generator, dtype=torch.float64)
    arguments = (_costs(batch), G.requires_grad_(), h.requires_grad_())
    assert torch.autograd.gradcheck(lambda t, G, h: layer(t, G=G, h=h), arguments, eps=1e-6, atol=1e-6)


def test_gradcheck_in_equations():
    """gradcheck passes in b and A; entries outside the pattern count as well."""
    problem = ShortestPath.grid(2, 3)
    layer = ParametricLayer(problem, rho=2.0)
    theta = problem.random_costs(2, generator=seeded(1)).requires_grad_()
    A = (layer.A + 0.01 * torch.rand(layer.A.shape, generator=seeded(2))).requires_grad_()
    b = layer.b.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda t, A, b: layer(t, A=A, b=b), (theta, A, b), eps=1e-6, atol=1e-6)


def test_refusals():
    """Infeasible capacities, lazy rows and a second backward pass raise."""
    layer = ParametricLayer(KNAPSACK, rho=3.0)
    with pytest.raises(SolveFailedError):
        layer(_costs(2), h=torch.tensor([-1.0, 3.0]))
    with pytest.raises(UnsupportedError, match="lazy"):
        ParametricLayer(TravelingSalesman(6))
    theta = _costs(1)
    (grad,) = torch.autograd.grad(layer(theta).square().sum(), theta, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()
