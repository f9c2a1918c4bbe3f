"""Cheapest way over a terrain by someone else's Dijkstra: costs of cells are predicted, ways are the labels.

Dijkstra needs positive costs: predictions stay above 0.3, and rho below twice that keeps what the layer asks
positive too.
"""

import heapq

import numpy as np
import torch

from diffcomb import DecisionLayer, FenchelYoungLoss, regret
from diffcomb.problems import BlackBox

SIDE = 8
STEPS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]


def dijkstra(costs: np.ndarray) -> np.ndarray:
    """Costs of cells (SIDE^2,) -> 1 for the cells on the cheapest way from corner to corner, 8 neighbours."""
    costs = costs.reshape(SIDE, SIDE)
    heap, came, way = [(costs[0, 0], (0, 0), (0, 0))], {}, np.zeros((SIDE, SIDE))
    while (SIDE - 1, SIDE - 1) not in came:
        length, cell, before = heapq.heappop(heap)
        if cell in came:
            continue
        came[cell] = before
        for i, j in ((cell[0] + i, cell[1] + j) for i, j in STEPS):
            if 0 <= i < SIDE and 0 <= j < SIDE and (i, j) not in came:
                heapq.heappush(heap, (length + costs[i, j], (i, j), cell))
    cell = (SIDE - 1, SIDE - 1)
    while way[0, 0] == 0:
        way[cell], cell = 1.0, came[cell]
    return way.ravel()


class Terrain(torch.nn.Module):
    """(batch, SIDE^2, 3) colours -> (batch, SIDE^2) costs."""

    def __init__(self) -> None:
        super().__init__()
        self.cost = torch.nn.Linear(3, 1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.softplus(self.cost(picture)).squeeze(-1) + 0.3


generator = torch.Generator().manual_seed(0)
kinds = torch.randint(0, 3, (2, 24, SIDE * SIDE), generator=generator)
pictures = torch.nn.functional.one_hot(kinds) + 0.1 * torch.randn(2, 24, SIDE * SIDE, 3, generator=generator)
(x, x_test), (c, c_test) = pictures, torch.tensor([0.8, 2.5, 9.2])[kinds]

problem = BlackBox(SIDE * SIDE, dijkstra)
z = problem.solve(c).decision
torch.manual_seed(0)
net = Terrain()
loss, optimizer = (
    FenchelYoungLoss(DecisionLayer(problem, rho=0.2)),
    torch.optim.Adam(net.parameters(), lr=0.3),
)
before = regret(net, problem, x_test, c_test)
for _ in range(15):
    optimizer.zero_grad()
    loss(net(x), z).backward()
    optimizer.step()
after = regret(net, problem, x_test, c_test)
print(f"regret {before:.3f} -> {after:.3f}")
