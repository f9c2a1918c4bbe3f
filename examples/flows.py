"""Send 24 units through a network whose arcs carry up to 10: costs per unit are predicted."""

import numpy as np
import torch
from generator import draw

from diffcomb import DecisionLayer, SmoothedSPOPlusLoss, regret
from diffcomb.problems import MixedIntegerProgram

rng = np.random.default_rng(0)
arcs = [(i, j) for i in range(8) for j in range(8) if i != j and j - i <= 3]
leaves = np.array([[(tail == v) - (head == v) for tail, head in arcs] for v in range(8)], dtype=float)
supply = np.array([24, 0, 0, 0, 0, 0, -8, -16.0])

# network matrices are totally unimodular: the relaxation is the hull; one row follows from the others
problem = MixedIntegerProgram(A=leaves[1:], b=supply[1:], upper=10, integral=True)
x, c, x_test, c_test = draw(rng.uniform(1, 4, len(arcs)))
z = problem.solve(c).decision
net = torch.nn.Linear(5, problem.num_costs)
loss, optimizer = SmoothedSPOPlusLoss(DecisionLayer(problem)), torch.optim.Adam(net.parameters(), lr=0.1)
before = regret(net, problem, x_test, c_test)
for _ in range(40):
    optimizer.zero_grad()
    loss(net(x), c, z).backward()
    optimizer.step()
after = regret(net, problem, x_test, c_test)
print(f"regret {before:.3f} -> {after:.3f}")
