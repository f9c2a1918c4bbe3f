"""Costs, gradients by autograd and by differences, and values by enumeration, for tests of losses."""

import torch

from tests.registry import all_decisions, make_problem, seeded

NAMES = ["assignment", "shortest_path_grid", "knapsack"]


def data(name):
    """Predicted costs, true costs, optimal decisions."""
    problem = make_problem(name)
    generator = seeded(4)
    theta = problem.random_costs(3, generator=generator)
    costs = problem.random_costs(3, generator=generator)
    return problem, theta, costs, problem.solve(costs).decision


def gradient_of(loss, theta, *supervision):
    leaf = theta.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf, *supervision), leaf)
    return gradient


def value(name, costs):
    """min over Z by enumeration."""
    return (costs @ all_decisions(name).T).amin(-1)


def differences(function, theta, directions, step=1e-6):
    """Directional derivatives of a scalar function of theta (batch, n)."""
    return torch.stack(
        [(function(theta + step * d) - function(theta - step * d)) / (2 * step) for d in directions]
    )


def directions_for(theta, *, keep_scale=False):
    """Five random directions; with keep_scale mean|theta| and ||theta|| stay as they are."""
    drawn = torch.randn(5, *theta.shape, generator=seeded(8), dtype=torch.float64)
    if keep_scale:
        fixed = torch.stack([theta.sign(), theta], -1)  # (batch, n, 2)
        basis = torch.linalg.qr(fixed).Q
        drawn = drawn - (basis @ (basis.mT @ drawn[..., None]))[..., 0]
    return drawn
