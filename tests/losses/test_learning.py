"""Learning tests: each loss teaches a small linear model to decide better."""

import pytest
import torch

from diffcomb import DecisionLayer
from diffcomb.losses import CostMSELoss, FenchelYoungLoss, RegretLoss, SmoothedSPOPlusLoss
from diffcomb.metrics import normalized_regret
from diffcomb.problems import ShortestPath
from tests.registry import seeded

LOSSES = {
    "regret": RegretLoss,
    "fenchel_young": FenchelYoungLoss,
    "smoothed_spo_plus": SmoothedSPOPlusLoss,
    "cost_error": CostMSELoss,
}


@pytest.mark.parametrize("name", LOSSES)
def test_regret_falls_below_three_quarters_of_its_start(name):
    """Fifty steps on a 4 x 4 grid whose costs are a noisy polynomial of five features."""
    generator = seeded(3)
    problem = ShortestPath.grid(4, 4)
    features = torch.randn(64, 5, generator=generator, dtype=torch.float64)
    mixing = (torch.rand(5, problem.num_costs, generator=generator) < 0.5).double()
    costs = ((features @ mixing / 5**0.5 + 3) ** 4 + 1) / 3.5**4
    costs = costs * (0.75 + 0.5 * torch.rand(costs.shape, generator=generator, dtype=torch.float64))
    optimal = problem.solve(costs).decision

    torch.manual_seed(0)
    model = torch.nn.Linear(5, problem.num_costs).double()
    layer = DecisionLayer(problem, decision="relaxed")
    loss = LOSSES[name](layer)
    batch = {"costs": costs, "decisions": optimal}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

    def regret() -> float:
        with torch.no_grad():
            z = problem.solve(model(features)).decision
        return float(normalized_regret((costs * z).sum(-1), (costs * optimal).sum(-1)))

    start = regret()
    for _ in range(50):
        optimizer.zero_grad()
        loss(model(features), *(batch[field] for field in loss.needs)).backward()
        optimizer.step()
    assert regret() < 0.75 * start
