"""Gumbel-Softmax: categorical choices and kept edges, relaxed by noise and temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from diffcomb.problems import Problem
from diffcomb.relaxations.soft.annealing import Annealing
from diffcomb.relaxations.soft.choices import CHOICES, choices_of
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
    entries sum to N, differentiated implicitly. See `choices` for what each problem brings.

    Independent choices know no constraint: train with `PenalizedRegretLoss`, which adds `violation`.
    Evaluation decodes theta: greedy edges, first confident colours, best value for weight.

    Oracle calls: 0 forward, 0 backward. Biased: the gradient is that of the relaxed expectation, not
    of the decoded decision; hard=True (straight-through) is biased further.

    Args:
        tau_start, tau_end, anneal_steps, noise: see `Annealing`.
        hard: forward one-hot argmax (x > 1/2 for edges), backward that of x: straight-through.
        two_opt: improve decoded tours by 2-opt under theta.
    """

    applies_to = tuple(CHOICES)

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
        scores, choices = -theta / mean_scale(theta), choices_of(problem)
        x = choices.relax(scores + factor * choices.noise(scores, self.generator(theta.device)), tau)
        return choices.harden(x) + x - x.detach() if self.hard else x

    def violation(self, x: Tensor, problem: Problem | None = None) -> Tensor:
        """How far soft decisions (batch, n) are from the constraints, (batch,), 0 on Z."""
        return choices_of(self.problem if problem is None else problem).violation(x)

    def decode(self, problem: Any, theta: Tensor) -> Tensor:
        return choices_of(problem).decode(theta, two_opt=self.two_opt, seed=self.seed)
