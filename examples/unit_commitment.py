"""Run 5 power units over 24 hours: the hourly prices are predicted, start-up and fuel costs known.

A unit that starts stays on for its minimum up-time. What is predicted is earned, so the larger the better.
"""

import cvxpy as cp
import numpy as np
import torch
from generator import draw

from diffcomb import DecisionLayer, SmoothedSPOPlusLoss, regret
from diffcomb.problems import MixedIntegerProgram

low, high = np.array([10, 8, 6, 4, 2.0]), np.array([40, 30, 25, 15, 8.0])
fuel, start_up, up_time = (
    np.array([22, 25, 28, 33, 40.0]),
    np.array([300, 200, 120, 60, 20.0]),
    [6, 5, 4, 3, 1],
)
load = 60 + 30 * np.sin(np.arange(24) / 24 * 2 * np.pi - 2)
price = cp.Parameter(24, name="price")
on, start = cp.Variable((5, 24), boolean=True, name="on"), cp.Variable((5, 24), boolean=True, name="start")
power = cp.Variable((5, 24), nonneg=True, name="power")
rows = [power >= cp.multiply(low[:, None] @ np.ones((1, 24)), on), cp.sum(power, axis=0) <= load]
rows += [power <= cp.multiply(high[:, None] @ np.ones((1, 24)), on)]
rows += [start[:, 1:] >= on[:, 1:] - on[:, :-1], start[:, 0] >= on[:, 0]]
rows += [
    cp.sum(start[u, max(0, t - up_time[u] + 1) : t + 1]) <= on[u, t] for u in range(5) for t in range(24)
]
profit = price @ cp.sum(power, axis=0) - fuel @ cp.sum(power, axis=1) - start_up @ cp.sum(start, axis=1)

problem = MixedIntegerProgram.from_cvxpy(cp.Problem(cp.Maximize(profit), rows), [price])
x, c, x_test, c_test = draw(30 + 10 * np.sin(np.arange(24) / 24 * 4 * np.pi), count=16)
z = problem.solve(c).decision
net = torch.nn.Linear(5, problem.num_costs)
loss, optimizer = SmoothedSPOPlusLoss(DecisionLayer(problem)), torch.optim.Adam(net.parameters(), lr=1.0)
before = regret(net, problem, x_test, c_test)
for _ in range(30):
    optimizer.zero_grad()
    loss(net(x), c, z).backward()
    optimizer.step()
after = regret(net, problem, x_test, c_test)
print(f"profit lost by predicting: {before:.3f} -> {after:.3f}")
