"""A search for the tour as a matrix: Adam on the expected length over annealed Sinkhorn matrices."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.problems import TravelingSalesman
from diffcomb.relaxations.soft.annealing import Annealing
from diffcomb.relaxations.soft.decoding.positions import cost_matrix
from diffcomb.relaxations.soft.gumbel import gumbel_like
from diffcomb.relaxations.soft.sinkhorn import sinkhorn


@dataclass(frozen=True)
class PositionSearch:
    """Lambda <- Adam step on <P, D roll(P, -1)>, P = Sinkhorn((Lambda + eps G) / tau), tau and eps falling.

    Started near P = 11'/N, where all positions have the same gradient (a stationary point), from
    Lambda = 0.1 times standard normal: larger starts decide too early. With costs of mean 1, on 20 uniform
    cities, tau 2 -> 0.3 with little noise finds tours within a few per cent; colder ends and full noise
    are several times worse.

    Args:
        annealing: over the steps of one search; `annealing.steps` of them.
        restarts: independent searches an instance.
        rate: learning rate of Adam.
        unroll: plain gradient steps at tau_end that `positions` appends and differentiates.
    """

    annealing: Annealing
    restarts: int = 1
    rate: float = 0.2
    unroll: int = 1

    def __post_init__(self) -> None:
        if self.restarts < 1 or self.unroll < 1 or self.rate <= 0:
            raise UnsupportedError(
                "A search needs restarts >= 1, unroll >= 1 and search_rate > 0,"
                f" got {self.restarts}, {self.unroll}, {self.rate}."
            )

    def scores(self, problem: TravelingSalesman, costs: Tensor, generator: torch.Generator) -> Tensor:
        """costs (batch, n) of mean 1 -> Lambda (batch, restarts, N, N), city by position."""
        with torch.inference_mode(False), torch.enable_grad():
            distance = cost_matrix(problem, costs.detach().clone())[:, None]
            shape = (len(costs), self.restarts, problem.num_cities, problem.num_cities)
            # all instances of a batch share their noise: an answer does not depend on its neighbours
            start = torch.randn(shape[1:], generator=generator, dtype=costs.dtype, device=costs.device)
            scores = (0.1 * start).repeat(len(costs), 1, 1, 1).requires_grad_()
            optimizer = torch.optim.Adam([scores], lr=self.rate)
            for step in range(self.annealing.steps):
                optimizer.zero_grad()
                noise = self.annealing.noise_factor(step) * gumbel_like(start, generator)
                _length(self._matrix(scores + noise, step), distance).sum().backward()
                optimizer.step()
        return scores.detach()

    def positions(self, problem: TravelingSalesman, costs: Tensor, generator: torch.Generator) -> Tensor:
        """costs (batch, n) -> P (batch, N, N) of the best restart, differentiable in costs if asked for."""
        found = self.scores(problem, costs, generator)
        distance = cost_matrix(problem, costs)
        end = self.annealing.steps
        lengths = _length(self._matrix(found, end), distance.detach()[:, None])
        scores = found[torch.arange(len(costs)), lengths.argmin(-1)]
        if not costs.requires_grad:
            return self._matrix(scores, end)
        scores.requires_grad_()
        for _ in range(self.unroll):
            total = _length(self._matrix(scores, end), distance).sum()
            (gradient,) = torch.autograd.grad(total, scores, create_graph=True)
            scores = scores - self.rate * gradient
        return self._matrix(scores, end)

    def _matrix(self, scores: Tensor, step: int) -> Tensor:
        return sinkhorn(scores / self.annealing.tau(step), min(self.annealing.sweeps(step), 20))


def _length(positions: Tensor, distance: Tensor) -> Tensor:
    return (positions * (distance @ positions.roll(-1, -1))).sum((-1, -2))
