"""Gumbel-Softmax: categorical choices and kept edges, relaxed by noise and temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from diffcomb.problems import GraphColoring, Knapsack, Problem, TravelingSalesman
from diffcomb.relaxations.soft.annealing import Annealing
from diffcomb.relaxations.soft.decoding.color_decoding import confident_colorings
from diffcomb.relaxations.soft.decoding.item_decoding import greedy_packing
from diffcomb.relaxations.soft.decoding.tour_decoding import greedy_tours
from diffcomb.relaxations.soft.gumbel import gumbel_like, logistic_like
from diffcomb.relaxations.soft.soft_decision import SoftDecision, mean_scale


@dataclass(frozen=True)
class AnnealingRecord:
    """What the last call used."""

    tau: float
    noise: float


class GumbelSoftmax(SoftDecision):
    """x = softmax((l + eps G) / tau) for choices, x = sigmoid((l + mu + eps L) / tau) for kept edges.

    l = -theta / mean|theta|, G Gumbel and L = G1 - G0 logistic noise (Jang, Gu & Poole 2017,
    arXiv:1611.01144; Maddison, Mnih & Teh 2017, arXiv:1611.00712). Colouring: one categorical a
    vertex. Tours and knapsacks: one binary an edge or item; for tours mu is the number that makes the
    entries sum to N, differentiated implicitly, because independent edges would all be dropped.

    Independent choices know no constraint: train with `PenalizedRegretLoss`, which adds `violation`
    (Potts term sum_uv x_u'x_v; degrees sum_v (x(delta(v)) - 2)^2; overweight).
    Evaluation decodes theta: greedy edges, first confident colours, best value for weight.

    Oracle calls: 0 forward, 0 backward. Biased: the gradient is that of the relaxed expectation, not
    of the decoded decision; hard=True (straight-through) is biased further.

    Args:
        tau_start, tau_end, anneal_steps, noise: see `Annealing`.
        hard: forward one-hot argmax (x > 1/2 for edges), backward that of x: straight-through.
        two_opt: improve decoded tours by 2-opt under theta.
    """

    applies_to = (TravelingSalesman, GraphColoring, Knapsack)

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        *,
        tau_start: float = 2.0,
        tau_end: float = 0.1,
        anneal_steps: int = 300,
        noise: float = 1.0,
        hard: bool = False,
        two_opt: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(problem, seed)
        self.annealing = Annealing(tau_start, tau_end, anneal_steps, noise)
        self.hard, self.two_opt = hard, two_opt
        self.last: AnnealingRecord | None = None

    def soft(self, problem: Any, theta: Tensor) -> Tensor:
        step = int(self.calls)
        tau, factor = self.annealing.tau(step), self.annealing.noise_factor(step)
        self.last = AnnealingRecord(tau, factor)
        logits = -theta / mean_scale(theta)
        generator = self.generator(theta.device)
        if isinstance(problem, GraphColoring):
            table = logits.reshape(-1, problem.num_vertices, problem.num_colors)
            x = torch.softmax((table + factor * gumbel_like(table, generator)) / tau, -1)
            if self.hard:
                best = torch.nn.functional.one_hot(x.argmax(-1), problem.num_colors).to(x.dtype)
                x = best + x - x.detach()
            return x.reshape(theta.shape)
        noisy = (logits + factor * logistic_like(logits, generator)) / tau
        if isinstance(problem, TravelingSalesman):
            x = sigmoid_with_sum(noisy, problem.num_cities)
        else:
            # an item is worth its weight when it gains more than the average of all
            x = torch.sigmoid(noisy - 1.0 / tau)
        return (x > 0.5).to(x.dtype) + x - x.detach() if self.hard else x

    def violation(self, x: Tensor) -> Tensor:
        """How far soft decisions (batch, n) are from the constraints, (batch,), 0 on Z."""
        return violation(self.problem, x)

    def decode(self, problem: Any, theta: Tensor) -> Tensor:
        if isinstance(problem, TravelingSalesman):
            return greedy_tours(problem, theta, theta if self.two_opt else None)
        if isinstance(problem, GraphColoring):
            return confident_colorings(problem, theta, seed=self.seed)
        return greedy_packing(problem, theta)


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


def violation(problem: Any, x: Tensor) -> Tensor:
    """Squared degree errors, Potts energy or squared relative overweight of x (batch, n) -> (batch,)."""
    if isinstance(problem, TravelingSalesman):
        ends = [torch.as_tensor(e, device=x.device) for e in (problem.tails, problem.heads)]
        degree = x.new_zeros(x.shape[0], problem.num_cities)
        degree = degree.index_add(-1, ends[0], x).index_add(-1, ends[1], x)
        return (degree - 2).square().sum(-1)
    if isinstance(problem, GraphColoring):
        table = x.reshape(-1, problem.num_vertices, problem.num_colors)
        tails, heads = torch.from_numpy(problem.edges).to(x.device).T
        return (table[:, tails] * table[:, heads]).sum((-1, -2))
    weights = torch.as_tensor(problem.weights, dtype=x.dtype, device=x.device)
    capacity = torch.as_tensor(problem.capacity, dtype=x.dtype, device=x.device)
    over = (x @ weights.T - capacity) / capacity.clamp_min(1e-12)
    return problem.num_costs * over.clamp_min(0).square().sum(-1)
