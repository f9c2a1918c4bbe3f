"""The layer as a node of an autograd graph."""

import pytest
import torch
from scipy.optimize import linprog

from diffcomb.layers import DecisionLayer
from diffcomb.problems import Assignment, GraphColoring
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


def test_certified_tells_the_relaxation_from_the_hull():
    """On an odd cycle, at a tiny rho: certified exactly where the linear program over the rows is z*."""
    problem = GraphColoring([(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)], 5, 3)
    theta = problem.random_costs(40, generator=seeded())
    layer = DecisionLayer(problem, rho=1e-4, certify="exact")
    z = layer(theta)
    polytope = problem.polytope()
    linear = torch.tensor(
        [linprog(c, polytope.G, polytope.h, polytope.A, polytope.b, (0, 1)).fun for c in theta.numpy()]
    )
    # linprog is accurate to 1e-7 or so; true gaps here are far larger
    integral = ((theta * z).sum(-1) - linear).abs() < 1e-5
    assert 0 < int(integral.sum()) < 40
    assert torch.equal(layer.last.certified, integral)
    assert bool(layer.last.exact.all())
    assert layer.last.certificates.count("certified") == int(integral.sum())
    assert f"{int(integral.sum())} certified, {40 - int(integral.sum())} relaxation" in str(layer.last)


def test_nothing_is_certified_beyond_the_threshold_or_unasked():
    """Large rho: the relaxed decision is fractional; without certify the field is None."""
    problem = Assignment(3)
    theta = problem.random_costs(2, generator=seeded())
    layer = DecisionLayer(problem, rho=1e3, certify="exact")
    layer(theta)
    assert layer.last.certificates == ("relaxation", "relaxation")
    plain = DecisionLayer(problem, rho=1e3)
    plain(theta)
    assert plain.last.certified is None
    assert "certified" not in str(plain.last)
