"""Learning tests: each soft decision teaches a small linear model to decide better."""

import pytest
import torch

from diffcomb.losses import PenalizedRegretLoss, RegretLoss
from diffcomb.metrics import normalized_regret
from diffcomb.problems import Assignment, TravelingSalesman
from diffcomb.relaxations import DIMES, Birkhoff, GumbelSinkhorn, GumbelSoftmax
from tests.registry import seeded

CASES = {
    "gumbel_softmax": (TravelingSalesman(7), GumbelSoftmax, PenalizedRegretLoss),
    "gumbel_sinkhorn": (Assignment(5), GumbelSinkhorn, RegretLoss),
    "gumbel_sinkhorn_position": (TravelingSalesman(7), lambda p: GumbelSinkhorn(p, steps=15), RegretLoss),
    "birkhoff": (Assignment(5), Birkhoff, RegretLoss),
    "dimes": (TravelingSalesman(7), DIMES, RegretLoss),
}


@pytest.mark.parametrize("name", CASES)
def test_regret_falls_below_three_quarters_of_its_start(name):
    """Forty full-batch steps; costs are a noisy square of four features, judged by exact decisions."""
    problem, build, loss_class = CASES[name]
    generator = seeded(3)
    features = torch.randn(48, 4, generator=generator, dtype=torch.float64)
    mixing = torch.randn(4, problem.num_costs, generator=generator, dtype=torch.float64)
    costs = (features @ mixing + 3).square() / 9
    costs = costs * (0.8 + 0.4 * torch.rand(costs.shape, generator=generator, dtype=torch.float64))
    optimal = problem.solve(costs).decision

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, problem.num_costs), torch.nn.Softplus()).double()
    layer = build(problem).train()
    loss = loss_class(layer)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)

    def regret() -> float:
        with torch.no_grad():
            z = problem.solve(model(features)).decision
        return float(normalized_regret((costs * z).sum(-1), (costs * optimal).sum(-1)))

    start = regret()
    for _ in range(40):
        optimizer.zero_grad()
        loss(model(features), costs).backward()
        optimizer.step()
    assert regret() < 0.75 * start
