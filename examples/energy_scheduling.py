"""Start 12 jobs on 3 machines within a day: 48 half-hourly prices drive all costs of start times."""

import numpy as np
import torch
from generator import draw

from diffcomb import DecisionLayer, SmoothedSPOPlusLoss, regret
from diffcomb.problems import MixedIntegerProgram

rng = np.random.default_rng(0)
hours, power = rng.integers(2, 9, 12), rng.uniform(1, 5, 12)
starts = [(job, s) for job in range(12) for s in range(48 - hours[job] + 1)]
runs = np.array([[s <= t < s + hours[job] for t in range(48)] for job, s in starts], dtype=float)
once = np.array([[job == j for job, _ in starts] for j in range(12)], dtype=float)
machine = np.array([job % 3 for job, _ in starts])
busy = np.concatenate([(runs * (machine == m)[:, None]).T for m in range(3)])
energy = runs * np.array([[power[job]] for job, _ in starts])

problem = MixedIntegerProgram(A=once, b=np.ones(12), G=busy, h=np.ones(3 * 48), cost_map=energy)
x, c, x_test, c_test = draw(40 + 15 * np.sin(np.arange(48) / 48 * 4 * np.pi), count=16)
z = problem.solve(c).decision
net = torch.nn.Linear(5, problem.num_costs)
loss, optimizer = SmoothedSPOPlusLoss(DecisionLayer(problem)), torch.optim.Adam(net.parameters(), lr=1.0)
before = regret(net, problem, x_test, c_test)
for _ in range(30):
    optimizer.zero_grad()
    loss(net(x), c, z).backward()
    optimizer.step()
after = regret(net, problem, x_test, c_test)
print(f"{problem.num_costs} prices, {problem.num_vars} start times: regret {before:.3f} -> {after:.3f}")
