"""A model from an LP file: what its sales_* variables earn is predicted, all other costs are the file's."""

from pathlib import Path

import torch
from generator import draw

from diffcomb import DecisionLayer, SmoothedSPOPlusLoss, regret
from diffcomb.problems import MixedIntegerProgram

problem = MixedIntegerProgram.from_mps(Path(__file__).with_name("production.lp"), predicted=["sales_*"])
x, c, x_test, c_test = draw(problem.costs.numpy())
z = problem.solve(c).decision
net = torch.nn.Linear(5, problem.num_costs)
loss, optimizer = SmoothedSPOPlusLoss(DecisionLayer(problem)), torch.optim.Adam(net.parameters(), lr=0.1)
before = regret(net, problem, x_test, c_test)
for _ in range(40):
    optimizer.zero_grad()
    loss(net(x), c, z).backward()
    optimizer.step()
after = regret(net, problem, x_test, c_test)
made = {name: value.item() for name, value in problem.by_name(z[0]).items()}
print(f"{problem.predicted_names}: lost {before:.3f} -> {after:.3f}; first plan {made}")
