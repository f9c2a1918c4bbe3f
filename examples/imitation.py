"""Learn what a planner wants from its plans alone: no costs are ever seen, only decisions."""

import cvxpy as cp
import numpy as np
import torch
from generator import draw

from diffcomb import DecisionLayer, FenchelYoungLoss, regret
from diffcomb.problems import MixedIntegerProgram

rng = np.random.default_rng(0)
gain, crew = cp.Parameter(16, name="gain"), rng.integers(1, 5, 16)
visit, overtime = cp.Variable(16, boolean=True, name="visit"), cp.Variable(nonneg=True, name="overtime")
rows = [crew @ visit <= 18 + overtime, overtime <= 4, visit[:8] + visit[8:] <= 1]
model = cp.Problem(cp.Maximize(gain @ visit - 1.5 * overtime), rows)

problem = MixedIntegerProgram.from_cvxpy(model, [gain])
x, c, x_test, c_test = draw(rng.uniform(2, 8, 16))
z = problem.solve(c).decision  # the planner's decisions; c itself is not used in training
net = torch.nn.Linear(5, problem.num_costs)
loss, optimizer = FenchelYoungLoss(DecisionLayer(problem)), torch.optim.Adam(net.parameters(), lr=0.1)
before = regret(net, problem, x_test, c_test)
for _ in range(40):
    optimizer.zero_grad()
    loss(net(x), z).backward()
    optimizer.step()
after = regret(net, problem, x_test, c_test)
print(f"gain lost by imitating: {before:.3f} -> {after:.3f}")
