"""The learned landscape."""

import torch

from diffcomb.losses import LearnedLandscapeLoss
from diffcomb.relaxations import ExactDecision
from tests.losses.cases import data, differences, directions_for, gradient_of
from tests.registry import seeded


def test_learned_landscape_fits_the_regret_and_differentiates_its_network():
    """After 40 calls the squared error is below half the variance; gradient by differences in
    evaluation mode; the encoder's backward pass leaves the network's own gradients alone."""
    problem, theta, costs, z = data("assignment")
    loss = LearnedLandscapeLoss(ExactDecision(problem))
    for step in range(40):
        loss(problem.random_costs(3, generator=seeded(step)), costs, z)
    size = int(loss.stored)
    features, regrets = loss.memory[:size, :-1], loss.memory[:size, -1]
    error = (loss.landscape(features)[:, 0].detach() - regrets).square().mean()
    assert float(error) < 0.5 * float(regrets.var())
    loss.eval()
    before = [p.grad.clone() for p in loss.landscape.parameters()]
    gradient = gradient_of(loss, theta, costs, z)
    assert all(torch.equal(a, p.grad) for a, p in zip(before, loss.landscape.parameters(), strict=True))
    directions = directions_for(theta)
    torch.testing.assert_close(
        (directions * gradient).sum((1, 2)),
        differences(lambda t: loss(t, costs, z), theta, directions),
        rtol=1e-5,
        atol=1e-8,
    )
