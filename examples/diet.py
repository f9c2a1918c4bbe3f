"""Buy amounts of 15 foods that cover 5 nutrients: a linear program without upper bounds, prices predicted.

Amounts are bounded by what the nutrients ask for; prices stay positive by a softplus.
"""

import numpy as np
import torch
from generator import draw

from diffcomb import DecisionLayer, SmoothedSPOPlusLoss, regret
from diffcomb.problems import MixedIntegerProgram

rng = np.random.default_rng(0)
contains, needed = rng.uniform(0, 1, (5, 15)) * (rng.random((5, 15)) < 0.6), rng.uniform(5, 10, 5)
problem = MixedIntegerProgram(G=-contains, h=-needed, upper=np.inf, integer=False)
x, c, x_test, c_test = draw(rng.uniform(1, 4, 15))
z = problem.solve(c).decision
net = torch.nn.Sequential(torch.nn.Linear(5, problem.num_costs), torch.nn.Softplus())
loss, optimizer = SmoothedSPOPlusLoss(DecisionLayer(problem)), torch.optim.Adam(net.parameters(), lr=0.1)
before = regret(net, problem, x_test, c_test)
for _ in range(40):
    optimizer.zero_grad()
    loss(net(x), c, z).backward()
    optimizer.step()
after = regret(net, problem, x_test, c_test)
print(f"regret {before:.3f} -> {after:.3f}")
