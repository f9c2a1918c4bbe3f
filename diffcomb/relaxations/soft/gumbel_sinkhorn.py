"""Gumbel-Sinkhorn: permutations relaxed to doubly stochastic matrices by noise and temperature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import UnknownNameError
from diffcomb.problems import Assignment, Problem, TravelingSalesman
from diffcomb.problems.tours.heuristics.neighbours import tour_cost
from diffcomb.problems.tours.heuristics.two_opt import two_opt as two_opt_in_place
from diffcomb.relaxations.soft.annealing import Annealing
from diffcomb.relaxations.soft.decoding.position_search import PositionSearch
from diffcomb.relaxations.soft.decoding.positions import cost_matrix, expected_edges, permutation_tours
from diffcomb.relaxations.soft.decoding.tour_decoding import greedy_tours
from diffcomb.relaxations.soft.gumbel import gumbel_like
from diffcomb.relaxations.soft.gumbel_softmax import AnnealingRecord
from diffcomb.relaxations.soft.sinkhorn import sinkhorn
from diffcomb.relaxations.soft.soft_decision import SoftDecision, mean_scale

FORMS = ("position", "successor")


class GumbelSinkhorn(SoftDecision):
    """P_tau = Sinkhorn((Lambda + eps G) / tau), G i.i.d. Gumbel (Mena et al. 2018, arXiv:1802.08665).

    Assignment: Lambda = -theta / mean|theta|, x = P; evaluation takes the permutation of largest
    <Lambda, P>, which is the exact decision.

    Tours, form="position": P is city by position and x its `expected_edges`. No Lambda is known, so
    each call first searches one (`PositionSearch`, Adam on theta'x from random starts) and then
    differentiates its last `unroll` gradient steps in theta. Evaluation takes the permutation of
    largest <Lambda, P> of every restart, and the best of them.
    Tours, form="successor": Lambda_ij = -theta_ij / mean|theta|, -inf on the diagonal, P says who
    follows whom and x_ij = P_ij + P_ji. Cheap, but it relaxes the assignment problem: soft decisions
    of several subtours cost least. Evaluation decodes theta by greedy edges.

    Oracle calls: 0 forward, 0 backward (one Hungarian each in evaluation). Biased: relaxed and decoded
    objectives differ, noise on entries is no exact sampler of a law over permutations, and position
    form truncates the derivative of its search.

    Args:
        tau_start, tau_end, anneal_steps, noise: see `Annealing`; over the calls of a training, and
            over the steps of each search in position form.
        form: "position" or "successor", for tours alone.
        steps, restarts, search_rate: of the search; more find shorter tours and cost as much more.
        unroll: last steps of the search that are differentiated, at least 1. More: closer to the
            derivative of the whole search, memory in proportion.
        two_opt: improve decoded tours by 2-opt under theta.
    """

    applies_to = (Assignment, TravelingSalesman)

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        *,
        tau_start: float = 2.0,
        tau_end: float = 0.3,
        anneal_steps: int = 300,
        noise: float = 0.3,
        form: str = "position",
        steps: int = 100,
        restarts: int = 1,
        search_rate: float = 0.2,
        unroll: int = 3,
        two_opt: bool = False,
        seed: int = 0,
    ) -> None:
        if form not in FORMS:
            raise UnknownNameError(f"Unknown form {form!r}; choose one of {', '.join(FORMS)}.")
        super().__init__(problem, seed)
        self.annealing = Annealing(tau_start, tau_end, anneal_steps, noise)
        self.search = PositionSearch(
            Annealing(tau_start, tau_end, steps, noise), restarts, search_rate, unroll
        )
        self.form, self.two_opt = form, two_opt
        self.last: AnnealingRecord | None = None

    def soft(self, problem: Any, theta: Tensor) -> Tensor:
        step, generator = int(self.calls), self.generator(theta.device)
        tau, factor = self.annealing.tau(step), self.annealing.noise_factor(step)
        self.last = AnnealingRecord(tau, factor)
        costs = theta / mean_scale(theta)
        if isinstance(problem, TravelingSalesman) and self.form == "position":
            self.last = AnnealingRecord(self.annealing.tau_end, 0.0)
            positions = self.search.positions(problem, costs, generator)
            return expected_edges(problem, positions)
        if isinstance(problem, TravelingSalesman):
            scores = -cost_matrix(problem, costs, diagonal=torch.inf)
        else:
            scores = -costs.reshape(-1, problem.size, problem.size)
        noisy = (scores + factor * gumbel_like(scores, generator)) / tau
        chosen = sinkhorn(noisy, self.annealing.sweeps(step))
        if isinstance(problem, TravelingSalesman):
            both = chosen + chosen.transpose(-1, -2)
            return both[:, problem.tails, problem.heads]
        return chosen.reshape(theta.shape)

    def decode(self, problem: Any, theta: Tensor) -> Tensor:
        if isinstance(problem, Assignment):
            scores = -theta.reshape(-1, problem.size, problem.size)
            jobs = np.argsort(permutation_tours(scores), -1)  # position of each worker
            z = torch.nn.functional.one_hot(torch.from_numpy(jobs), problem.size)
            return z.reshape(theta.shape).to(theta)
        if self.form == "successor":
            return greedy_tours(problem, theta, theta if self.two_opt else None)
        costs = theta / mean_scale(theta)
        scores = self.search.scores(problem, costs, self.generator(theta.device))
        matrices = cost_matrix(problem, theta).cpu().double().numpy()
        rows = []
        for matrix, one in zip(matrices, scores, strict=True):
            tours = permutation_tours(one)
            if self.two_opt:
                for tour in tours:
                    two_opt_in_place(matrix, tour)
            rows.append(problem.decision_of(min(tours, key=lambda tour: float(tour_cost(matrix, tour)))))
        return torch.from_numpy(np.stack(rows)).to(theta)
