"""One decision for several possible tomorrows: costs are (batch, scenarios, P), the loss is their mean."""

import numpy as np
import torch
from generator import draw

from diffcomb import DecisionLayer, RegretLoss, regret
from diffcomb.problems import MixedIntegerProgram

rng = np.random.default_rng(0)
weights = rng.integers(2, 7, (1, 10))
problem = MixedIntegerProgram(
    G=-weights, h=[-40], upper=3
)  # cover 40 units of work, up to 3 shifts of each kind
x, c, x_test, c_test = draw(rng.uniform(1, 4, 10) * weights[0])
noise = torch.exp(0.5 * torch.randn(64, 5, 10, generator=torch.Generator().manual_seed(0)))
net = torch.nn.Linear(5, problem.num_costs)
loss = RegretLoss(DecisionLayer(problem, decision="relaxed"))
optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
before = regret(net, problem, x_test, c_test)
for _ in range(40):
    optimizer.zero_grad()
    loss(net(x), c[:, None] * noise).backward()
    optimizer.step()
after = regret(net, problem, x_test, c_test)
print(f"regret {before:.3f} -> {after:.3f}")
