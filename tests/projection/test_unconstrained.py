"""What is left of the KKT system when its active constraints are dropped."""

import torch

from diffcomb.layers import projector_of
from diffcomb.problems import Assignment
from diffcomb.projection import unconstrained_adjoint
from tests.registry import seeded


def test_stationarity_alone_is_the_negative_identity():
    """-g/rho equals autograd through argmin over R^n of theta'x + rho R(x) = 1/2 - theta/rho."""
    theta = torch.randn(3, 5, generator=seeded(), dtype=torch.float64, requires_grad=True)
    rho = torch.tensor([0.1, 1.0, 7.0], dtype=torch.float64)
    g = torch.randn(3, 5, generator=seeded(1), dtype=torch.float64)
    (0.5 - theta / rho[:, None]).backward(g)
    torch.testing.assert_close(unconstrained_adjoint(g, rho), theta.grad)
    torch.testing.assert_close(unconstrained_adjoint(g[1:2], 1.0), -g[1:2])


def test_the_exact_adjoint_is_its_projection_on_the_face():
    """-(1/rho) Pi g applied to -g/rho again changes nothing but the factor, and the two differ."""
    problem = Assignment(4)
    theta = problem.random_costs(3, generator=seeded(2))
    rho = 2 * theta.abs().mean(-1)
    g = torch.randn(theta.shape, generator=seeded(3), dtype=torch.float64)
    relaxed = projector_of(problem, "kkt").relax(theta, rho)
    exact, identity = relaxed.adjoint(g), unconstrained_adjoint(g, rho)
    torch.testing.assert_close(-rho[:, None] * relaxed.adjoint(identity), exact)
    # what the identity adds is orthogonal to the face: it moves theta without moving x_rho
    torch.testing.assert_close(relaxed.adjoint(identity - exact), torch.zeros_like(g))
    assert float((identity - exact).norm() / identity.norm()) > 0.1
