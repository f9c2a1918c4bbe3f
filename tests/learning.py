"""A small linear model that learns the costs of a 4 x 4 grid from five features."""

import torch
from torch import nn

from diffcomb.metrics import normalized_regret
from diffcomb.problems import ShortestPath
from tests.registry import seeded

PROBLEM = ShortestPath.grid(4, 4)


def relative_regret_after(loss: nn.Module, steps: int = 50) -> float:
    """Regret after `steps` full-batch Adam steps over the regret before; costs are a noisy polynomial."""
    generator = seeded(3)
    features = torch.randn(64, 5, generator=generator, dtype=torch.float64)
    mixing = (torch.rand(5, PROBLEM.num_costs, generator=generator) < 0.5).double()
    costs = ((features @ mixing / 5**0.5 + 3) ** 4 + 1) / 3.5**4
    costs = costs * (0.75 + 0.5 * torch.rand(costs.shape, generator=generator, dtype=torch.float64))
    optimal = PROBLEM.solve(costs).decision

    torch.manual_seed(0)
    model = nn.Linear(5, PROBLEM.num_costs).double()
    batch = {"costs": costs, "decisions": optimal}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

    def regret() -> float:
        with torch.no_grad():
            z = PROBLEM.solve(model(features)).decision
        return float(normalized_regret((costs * z).sum(-1), (costs * optimal).sum(-1)))

    start = regret()
    for _ in range(steps):
        optimizer.zero_grad()
        loss(model(features), *(batch[field] for field in loss.needs)).backward()
        optimizer.step()
    return regret() / start
