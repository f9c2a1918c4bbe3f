"""Open plants and ship from them: 10 x 20 unit costs are predicted, opening costs are known."""

import cvxpy as cp
import numpy as np
import torch
from generator import draw

from diffcomb import DecisionLayer, SmoothedSPOPlusLoss, regret
from diffcomb.problems import MixedIntegerProgram

rng = np.random.default_rng(0)
demand, capacity, opening = rng.uniform(1, 3, 20), rng.uniform(8, 14, 10), rng.uniform(8, 16, 10)
cost = cp.Parameter((10, 20), name="cost")
opened, shipped = (
    cp.Variable(10, boolean=True, name="opened"),
    cp.Variable((10, 20), name="shipped", nonneg=True),
)
rows = [cp.sum(shipped, axis=0) == demand, cp.sum(shipped, axis=1) <= cp.multiply(capacity, opened)]
rows += [shipped <= cp.multiply(np.outer(np.ones(10), demand), opened[:, None] @ np.ones((1, 20)))]
model = cp.Problem(cp.Minimize(cp.sum(cp.multiply(cost, shipped)) + opening @ opened), rows)

problem = MixedIntegerProgram.from_cvxpy(model, [cost])
x, c, x_test, c_test = draw(rng.uniform(1, 4, 200), count=16)
z = problem.solve(c).decision
net = torch.nn.Linear(5, problem.num_costs)
loss, optimizer = SmoothedSPOPlusLoss(DecisionLayer(problem)), torch.optim.Adam(net.parameters(), lr=0.1)
before = regret(net, problem, x_test, c_test)
for _ in range(30):
    optimizer.zero_grad()
    loss(net(x), c, z).backward()
    optimizer.step()
after = regret(net, problem, x_test, c_test)
plan = problem.by_name(problem.solve(net(x_test[:1])).decision[0])
print(f"regret {before:.3f} -> {after:.3f}; open {plan['opened'].nonzero().flatten().tolist()}")
