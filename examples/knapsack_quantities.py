"""Take 0 to 5 of each of 12 goods, two limits on the load: values are predicted, larger is better."""

import numpy as np
import torch
from generator import draw

from diffcomb import DecisionLayer, SmoothedSPOPlusLoss, regret
from diffcomb.problems import MixedIntegerProgram

rng = np.random.default_rng(0)
problem = MixedIntegerProgram(G=rng.integers(3, 9, (2, 12)), h=[120, 110], upper=5, sense="max")
x, c, x_test, c_test = draw(rng.uniform(2, 6, 12))
z = problem.solve(c).decision
net = torch.nn.Linear(5, problem.num_costs)
loss, optimizer = SmoothedSPOPlusLoss(DecisionLayer(problem)), torch.optim.Adam(net.parameters(), lr=0.1)
before = regret(net, problem, x_test, c_test)
for _ in range(40):
    optimizer.zero_grad()
    loss(net(x), c, z).backward()
    optimizer.step()
after = regret(net, problem, x_test, c_test)
print(f"value lost by predicting: {before:.3f} -> {after:.3f}")
