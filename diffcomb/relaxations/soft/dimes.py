"""DIMES's distribution over tours as a layer: costs in, expected tour out, score-function gradient back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from diffcomb.errors import UnknownNameError, UnsupportedError
from diffcomb.problems import Problem, TravelingSalesman
from diffcomb.relaxations.soft.decoding.positions import cost_matrix
from diffcomb.relaxations.soft.decoding.tour_policy import leave_one_out, sample_tours, score
from diffcomb.relaxations.soft.decoding.tour_search import (
    DECODERS,
    active_search,
    decode_tours,
    random_starts,
)
from diffcomb.relaxations.soft.soft_decision import SoftDecision, mean_scale


class DIMES(SoftDecision):
    """x = (1/K) sum_k z(pi_k), pi_k ~ q_theta; backward (1/K) sum_k (g'z_k - b_k) grad log q(pi_k).

    q starts anywhere and walks to unvisited neighbours with probability proportional to
    exp(-theta_ij / (tau mean|theta|)), over the k cheapest edges of each city; b_k is the mean of the
    other g'z_j. Auxiliary distribution and gradient of Qiu, Sun & Yang 2022 (arXiv:2210.04123) with
    the encoder's costs in place of their network, so c'x is the expected cost of a tour drawn and its
    gradient is unbiased (given the k edges). Their meta-learned network is `models.DimesMetaSolver`.

    Oracle calls: 0 forward, 0 backward; K walks of O(N k). Unbiased, of high variance. Sequential in N.

    Args:
        num_neighbors: k, at most N - 1; small: fast, misses tours; large: slower, complete.
        num_samples: K; small: noisy gradients. tau: small: nearly nearest-neighbour walks, gradients
            that vanish; large: tours near random.
        decoder: "greedy", the best of the most probable walks from all cities, or "sampling", the best
            of `num_decoded` draws as well.
        search_steps: active search: steps of Adam (rate search_rate) on the logits of the instance
            before decoding, for tours that are short under theta; 0 = none.
        two_opt: improve decoded tours by 2-opt under theta.
    """

    applies_to = (TravelingSalesman,)

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        *,
        num_neighbors: int = 20,
        num_samples: int = 64,
        tau: float = 0.1,
        decoder: str = "greedy",
        num_decoded: int = 256,
        search_steps: int = 0,
        search_rate: float = 0.1,
        two_opt: bool = False,
        seed: int = 0,
    ) -> None:
        if decoder not in DECODERS:
            raise UnknownNameError(f"Unknown decoder {decoder!r}; choose one of {', '.join(DECODERS)}.")
        if num_neighbors < 1 or num_samples < 2 or not tau > 0:
            raise UnsupportedError(
                "DIMES needs num_neighbors >= 1, num_samples >= 2 and tau > 0,"
                f" got {num_neighbors}, {num_samples}, {tau}."
            )
        super().__init__(problem, seed)
        self.num_neighbors, self.num_samples, self.tau = num_neighbors, num_samples, tau
        self.decoder, self.num_decoded, self.two_opt = decoder, num_decoded, two_opt
        self.search_steps, self.search_rate = search_steps, search_rate

    def soft(self, problem: Any, theta: Tensor) -> Tensor:
        logits, neighbours = self._logits(problem, theta)
        rng = self._rng(theta.device)
        starts = random_starts(rng, len(theta), self.num_samples, problem.num_cities)
        cost = cost_matrix(problem, theta.detach()).cpu().numpy()
        seed = int(rng.integers(2**62))
        tours, _ = sample_tours(logits.detach().cpu().numpy(), neighbours, cost, starts, seed, False)
        return _MeanTour.apply(logits, neighbours, tours, problem)

    def decode(self, problem: Any, theta: Tensor) -> Tensor:
        logits, neighbours = self._logits(problem, theta)
        cost = cost_matrix(problem, theta).cpu().numpy()
        values, rng = logits.cpu().numpy(), self._rng(theta.device)
        if self.search_steps:
            values = active_search(
                values, neighbours, cost, self.search_steps, self.num_samples, self.search_rate, rng
            )
        count = self.num_decoded if self.decoder == "sampling" else 0
        tours = decode_tours(values, neighbours, cost, count, rng, two_opt=self.two_opt)
        z = np.stack([problem.decision_of(tour) for tour in tours])
        return torch.from_numpy(z).to(theta.device)

    def _logits(self, problem: TravelingSalesman, theta: Tensor) -> tuple[Tensor, np.ndarray]:
        """theta (batch, n) -> logits (batch, N, k) and the neighbours they belong to, cheapest first."""
        matrix = cost_matrix(problem, theta / mean_scale(theta), diagonal=torch.inf)
        k = min(self.num_neighbors, problem.num_cities - 1)
        nearest = matrix.detach().topk(k, dim=-1, largest=False).indices
        return -matrix.gather(-1, nearest) / self.tau, nearest.cpu().numpy()

    def _rng(self, device: torch.device) -> np.random.Generator:
        return np.random.default_rng(self.generator(torch.device("cpu")).initial_seed())


class _MeanTour(torch.autograd.Function):
    """Mean of sampled tours as edge vectors, with the score-function gradient in the logits."""

    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, neighbours: np.ndarray, tours: np.ndarray, problem: TravelingSalesman
    ) -> Tensor:
        edges = problem.edge_index_of(tours.astype(np.int64), np.roll(tours, -1, axis=-1).astype(np.int64))
        ctx.save_for_backward(logits)
        ctx.neighbours, ctx.tours, ctx.edges = neighbours, tours, edges
        counts = [np.bincount(rows.ravel(), minlength=problem.num_costs) for rows in edges]
        return torch.from_numpy(np.stack(counts) / tours.shape[1]).to(logits.device, logits.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        (logits,) = ctx.saved_tensors
        grad = grads[0].cpu().double().numpy()
        values = np.stack([row[edges].sum(-1) for row, edges in zip(grad, ctx.edges, strict=True)])
        found = score(
            logits.detach().cpu().double().numpy(), ctx.neighbours, ctx.tours, leave_one_out(values)
        )
        return torch.from_numpy(found).to(logits.device, logits.dtype), None, None, None
