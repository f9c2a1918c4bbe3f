"""What a decision is made of, for relaxations that take each choice on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from diffcomb.problems import GraphColoring, Knapsack, Problem, TravelingSalesman
from diffcomb.relaxations.soft.decoding.color_decoding import confident_colorings
from diffcomb.relaxations.soft.decoding.item_decoding import greedy_packing
from diffcomb.relaxations.soft.decoding.tour_decoding import greedy_tours
from diffcomb.relaxations.soft.gumbel import gumbel_like, logistic_like


class Choices(Protocol):
    """The choices of one problem; scores, costs and decisions are (batch, n)."""

    def noise(self, scores: Tensor, generator: torch.Generator) -> Tensor:
        """Standard noise whose largest noisy score is a sample."""
        ...

    def relax(self, noisy: Tensor, tau: float) -> Tensor:
        """Each choice alone, at temperature tau."""
        ...

    def harden(self, x: Tensor) -> Tensor:
        """The 0-1 vector that x is closest to, choice by choice."""
        ...

    def violation(self, x: Tensor) -> Tensor:
        """How far x is from the constraints between choices, (batch,), 0 on Z."""
        ...

    def decode(self, theta: Tensor, *, two_opt: bool, seed: int) -> Tensor:
        """Costs -> a member of Z."""
        ...


@dataclass(frozen=True)
class EdgeChoices:
    """One binary an edge, keep it or not, with as many expected edges as a tour has.

    Independent edges would all be dropped. Violation: sum_v (x(delta(v)) - 2)^2.
    """

    problem: TravelingSalesman

    def noise(self, scores: Tensor, generator: torch.Generator) -> Tensor:
        return logistic_like(scores, generator)

    def relax(self, noisy: Tensor, tau: float) -> Tensor:
        return sigmoid_with_sum(noisy / tau, self.problem.num_cities)

    def harden(self, x: Tensor) -> Tensor:
        return (x > 0.5).to(x.dtype)

    def violation(self, x: Tensor) -> Tensor:
        ends = [torch.as_tensor(e, device=x.device) for e in (self.problem.tails, self.problem.heads)]
        degree = x.new_zeros(x.shape[0], self.problem.num_cities)
        degree = degree.index_add(-1, ends[0], x).index_add(-1, ends[1], x)
        return (degree - 2).square().sum(-1)

    def decode(self, theta: Tensor, *, two_opt: bool, seed: int) -> Tensor:
        return greedy_tours(self.problem, theta, theta if two_opt else None)


@dataclass(frozen=True)
class ColorChoices:
    """One categorical a vertex. Violation: the Potts energy sum_uv x_u'x_v over the graph's edges."""

    problem: GraphColoring

    def noise(self, scores: Tensor, generator: torch.Generator) -> Tensor:
        return gumbel_like(self._table(scores), generator).reshape(scores.shape)

    def relax(self, noisy: Tensor, tau: float) -> Tensor:
        return torch.softmax(self._table(noisy) / tau, -1).reshape(noisy.shape)

    def harden(self, x: Tensor) -> Tensor:
        best = self._table(x).argmax(-1)
        return torch.nn.functional.one_hot(best, self.problem.num_colors).to(x.dtype).reshape(x.shape)

    def violation(self, x: Tensor) -> Tensor:
        table = self._table(x)
        tails, heads = torch.from_numpy(self.problem.edges).to(x.device).T
        return (table[:, tails] * table[:, heads]).sum((-1, -2))

    def decode(self, theta: Tensor, *, two_opt: bool, seed: int) -> Tensor:
        return confident_colorings(self.problem, theta, seed=seed)

    def _table(self, x: Tensor) -> Tensor:
        return x.reshape(-1, self.problem.num_vertices, self.problem.num_colors)


@dataclass(frozen=True)
class ItemChoices:
    """One binary an item, packed when it gains more than the average of all. Violation: relative overweight,
    n sum max(0, (W x - capacity) / capacity)^2.
    """

    problem: Knapsack

    def noise(self, scores: Tensor, generator: torch.Generator) -> Tensor:
        return logistic_like(scores, generator)

    def relax(self, noisy: Tensor, tau: float) -> Tensor:
        return torch.sigmoid(noisy / tau - 1.0 / tau)

    def harden(self, x: Tensor) -> Tensor:
        return (x > 0.5).to(x.dtype)

    def violation(self, x: Tensor) -> Tensor:
        weights = torch.as_tensor(self.problem.weights, dtype=x.dtype, device=x.device)
        capacity = torch.as_tensor(self.problem.capacity, dtype=x.dtype, device=x.device)
        over = (x @ weights.T - capacity) / capacity.clamp_min(1e-12)
        return self.problem.num_costs * over.clamp_min(0).square().sum(-1)

    def decode(self, theta: Tensor, *, two_opt: bool, seed: int) -> Tensor:
        return greedy_packing(self.problem, theta)


#: a line enrols a problem
CHOICES: dict[type[Problem], Any] = {
    TravelingSalesman: EdgeChoices,
    GraphColoring: ColorChoices,
    Knapsack: ItemChoices,
}


def choices_of(problem: Problem) -> Choices:
    """The choices of a problem in `CHOICES`."""
    made: Choices = next(make for kind, make in CHOICES.items() if isinstance(problem, kind))(problem)
    return made


def sigmoid_with_sum(a: Tensor, total: float) -> Tensor:
    """x = sigmoid(a + mu), mu (batch, 1) such that each row sums to `total`; mu is differentiated too."""
    low = -a.detach().amax(-1, keepdim=True) - 40.0
    high = -a.detach().amin(-1, keepdim=True) + 40.0
    for _ in range(60):
        mu = (low + high) / 2
        large = torch.sigmoid(a.detach() + mu).sum(-1, keepdim=True) > total
        low, high = torch.where(large, low, mu), torch.where(large, mu, high)
    x = torch.sigmoid(a + mu)
    slope = (x * (1 - x)).detach().sum(-1, keepdim=True).clamp_min(1e-12)
    # one Newton step: nothing in value, the implicit derivative of mu in the backward
    return torch.sigmoid(a + mu + (total - x.sum(-1, keepdim=True)) / slope)
