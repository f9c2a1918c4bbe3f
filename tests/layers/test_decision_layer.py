"""The layer as a node of an autograd graph."""

import pytest
import torch

from diffcomb.layers import DecisionLayer
from diffcomb.problems import Assignment
from tests.registry import seeded


@pytest.mark.parametrize("decision", ["exact", "relaxed"])
def test_a_second_derivative_is_refused(decision):
    """Differentiating the gradient again raises and says that the layer is differentiable once."""
    problem = Assignment(3)
    theta = problem.random_costs(2, generator=seeded()).requires_grad_()
    z = DecisionLayer(problem, rho=1.0, decision=decision)(theta)
    (grad,) = torch.autograd.grad((z * theta).sum(), theta, create_graph=True)
    with pytest.raises(RuntimeError, match=r"twice .*once_differentiable"):
        grad.sum().backward()


def test_the_same_graph_may_be_pulled_back_again():
    """Two backward passes over one kept graph add the same gradient twice."""
    problem = Assignment(3)
    theta = problem.random_costs(2, generator=seeded()).requires_grad_()
    loss = (DecisionLayer(problem, rho=1.0)(theta) * torch.arange(9).square()).sum()
    loss.backward(retain_graph=True)
    once = theta.grad.clone()
    loss.backward()
    assert float(once.abs().max()) > 0
    torch.testing.assert_close(theta.grad, 2 * once)
