"""A learned model of the decision loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from diffcomb.errors import UnsupportedError
from diffcomb.layers import SeededNoise, cost_scale
from diffcomb.losses.loss import Loss
from diffcomb.problems import Problem


class LearnedLandscapeLoss(Loss):
    """l(theta; c) = M(theta, c), a network fitted to the regret r(theta, c) = (c'z*(theta) - c'z) / |c|'z.

    Zharmagambetov et al., NeurIPS 2023, arXiv:2307.08964 (LANCER). Each training call decides at theta,
    stores (theta, c, r) in a memory, fits M to the memory by `inner_steps` steps of Adam on the squared
    error, and returns M at theta, whose smooth gradient trains the encoder. M sees theta and c in units
    of mean|c|. Needs true costs and optimal decisions; one problem only. Oracle calls: 1 + num_samples
    forward, 0 backward. Biased by what M has not learned. Network, memory and the state of its
    optimiser survive checkpoints.

    Args:
        layer: gives the problem and its oracle.
        hidden: width of M, two hidden layers. Small: rigid. Large: needs more memory to fit.
        inner_steps: per call. Small: M lags behind theta. Large: slow, overfits.
        inner_learning_rate: of M.
        num_samples: decisions at theta + sigma mean|theta| xi besides theta, so that M sees how r varies
            around theta; the paper has none.
        sigma: of those.
        memory: triples kept, the oldest overwritten.
        seed: of the samples, of M's start and of the minibatches.
    """

    needs = ("costs", "decisions")
    memory: Tensor
    stored: Tensor

    def __init__(
        self,
        layer: nn.Module,
        hidden: int = 64,
        inner_steps: int = 10,
        inner_learning_rate: float = 3e-3,
        num_samples: int = 2,
        sigma: float = 0.3,
        memory: int = 2000,
        seed: int = 0,
    ) -> None:
        super().__init__(layer)
        if not isinstance(layer.problem, Problem):
            raise UnsupportedError("LearnedLandscapeLoss learns one problem; got a list of them.")
        if min(hidden, inner_steps, memory) < 1 or num_samples < 0:
            raise UnsupportedError("hidden, inner_steps and memory must be at least 1, num_samples >= 0.")
        self.num_samples, self.sigma, self.inner_steps = num_samples, sigma, inner_steps
        n = layer.problem.num_costs
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.landscape = nn.Sequential(
                nn.Linear(2 * n, hidden),
                nn.Tanh(),
                nn.Linear(hidden, hidden),
                nn.Tanh(),
                nn.Linear(hidden, 1),
            ).double()
        self.optimizer = torch.optim.Adam(self.landscape.parameters(), lr=inner_learning_rate)
        self.noise = SeededNoise("normal", seed)
        self.register_buffer("memory", torch.zeros(memory, 2 * n + 1, dtype=torch.float64))
        self.register_buffer("stored", torch.zeros((), dtype=torch.long))

    def block_loss(self, problem: Problem, theta: Tensor, costs: Tensor, z_true: Tensor) -> Tensor:
        if problem is not self.layer.problem:
            raise UnsupportedError("LearnedLandscapeLoss learns one problem; got others.")
        theta, costs = theta.double(), costs.double()
        if self.training:
            self._remember(problem, theta.detach(), costs, z_true.double())
            with torch.enable_grad():
                self._fit()
        fixed = {name: p.detach() for name, p in self.landscape.named_parameters()}
        predicted: Tensor = functional_call(self.landscape, fixed, (_features(theta, costs),))
        return predicted[:, 0]

    def _remember(self, problem: Problem, theta: Tensor, costs: Tensor, z_true: Tensor) -> None:
        """Decide at theta and around it, and store what it cost."""
        around = theta + self.sigma * cost_scale(theta) * self.noise(self.num_samples, theta)
        asked = torch.cat([theta[None], around])
        excess = problem.cost_of(self.exact_decisions(problem, asked), costs.expand_as(asked))
        excess = excess - problem.cost_of(z_true, costs)
        # an optimum that takes nothing has no cost to compare with: all costs stand in for it
        unit = (costs.abs() * z_true).sum(-1)
        regret = excess / torch.where(unit > 0, unit, costs.abs().sum(-1).clamp_min(1e-300))
        rows = torch.cat([_features(asked, costs.expand_as(asked)), regret[..., None]], -1)
        rows = rows.reshape(-1, rows.shape[-1])[-len(self.memory) :]
        places = (self.stored + torch.arange(len(rows), device=rows.device)) % len(self.memory)
        self.memory[places] = rows
        self.stored += len(rows)

    def _fit(self) -> None:
        size = min(int(self.stored), len(self.memory))
        generator = torch.Generator().manual_seed(int(self.stored))
        for _ in range(self.inner_steps):
            chosen = torch.randint(size, (min(size, 128),), generator=generator).to(self.memory.device)
            rows = self.memory[chosen]
            self.optimizer.zero_grad()
            error = self.landscape(rows[:, :-1])[:, 0] - rows[:, -1]
            error.square().mean().backward()
            self.optimizer.step()

    def get_extra_state(self) -> dict[str, Any]:
        """The optimiser of M, for checkpoints."""
        return self.optimizer.state_dict()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """From `get_extra_state`."""
        self.optimizer.load_state_dict(state)


def _features(theta: Tensor, costs: Tensor) -> Tensor:
    """theta and c in units of mean|c|, (..., 2 n)."""
    unit = cost_scale(costs)
    return torch.cat([theta / unit, costs / unit], -1)
