"""The Birkhoff extension as a layer: a convex combination of decisions, and the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from diffcomb.compiled import compiled
from diffcomb.errors import UnknownNameError
from diffcomb.problems import Assignment, Problem, TravelingSalesman
from diffcomb.problems.tours.heuristics.two_opt import two_opt as two_opt_in_place
from diffcomb.relaxations.soft.annealing import Annealing
from diffcomb.relaxations.soft.birkhoff.birkhoff_decomposition import decompose, weights_adjoint
from diffcomb.relaxations.soft.birkhoff.birkhoff_extension import warn_if_truncated
from diffcomb.relaxations.soft.decoding.position_search import PositionSearch
from diffcomb.relaxations.soft.decoding.positions import cost_matrix, permutation_tours
from diffcomb.relaxations.soft.decoding.tour_decoding import greedy_tours
from diffcomb.relaxations.soft.gumbel_sinkhorn import FORMS
from diffcomb.relaxations.soft.sinkhorn import sinkhorn
from diffcomb.relaxations.soft.soft_decision import SoftDecision, mean_scale

SCORES = ("static", "dynamic")


@dataclass(frozen=True)
class BirkhoffRecord:
    """The last call.

    Attributes:
        terms: (batch,) permutations in each decomposition.
        mass: (batch,) sum of their weights before normalisation; less than 1 when truncated.
        discontinuous: the extension jumps, because it is truncated or its score moves with theta.
    """

    terms: np.ndarray
    mass: np.ndarray
    discontinuous: bool


class Birkhoff(SoftDecision):
    """x = sum_l alpha_l z(P_l), sum alpha = 1: A(theta) decomposed in the order of a score S.

    Nerem, Luo, Rafiey & Wang 2025 (arXiv:2411.10707). x lies in conv(Z); c'x is the extension
    F_S(A) of f(P) = c'z(P), with its closed-form gradient (see `birkhoff_extension`). Evaluation
    rounds to the term of least theta'z, which is never above theta'x.

    Assignment: A = Sinkhorn(-theta / (tau mean|theta|)), z(P) = P. f is linear there, so x = A: the
    extension adds the rounding only. Tours, form="successor": A as before with an empty diagonal,
    P says who follows whom, subtours are joined in the order of their first cities, so f is no linear
    function and x is a combination of tours all the same. form="position": A is the end of a
    `PositionSearch`, P a tour city by position.

    Oracle calls: 0 forward, 0 backward; up to n^2 - 2n + 2 permutations in O(n^4). The gradient in A is
    exact where normalize=False, but piecewise constant and heavy-tailed (the largest slopes of a batch
    are a hundred times its median), and F_S has many local minima.

    Args:
        tau: small: A near one permutation, few large weights; large: A near uniform.
        score: "static", one random S for the life of the layer: continuous. "dynamic", S = P_0 plus
            noise below 1/(2n), P_0 the decision decoded from theta (greedy edges, Hungarian): P_0 comes
            first, so rounding is never worse than P_0; jumps where P_0 changes. Evaluation always uses
            it: nothing is differentiated there.
        normalize: scale the gradient in A of each instance to a largest entry of 1, without which the
            steepest instance decides every step. Biased between instances, not within.
        max_terms: None, or a truncation (the paper's code: 5); see `birkhoff_extension`.
        form, steps: see `GumbelSinkhorn`.
        two_opt: improve decoded tours by 2-opt under theta.
    """

    applies_to = (Assignment, TravelingSalesman)

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        *,
        tau: float = 0.2,
        score: str = "static",
        normalize: bool = True,
        max_terms: int | None = None,
        form: str = "successor",
        steps: int = 100,
        two_opt: bool = False,
        seed: int = 0,
    ) -> None:
        if form not in FORMS:
            raise UnknownNameError(f"Unknown form {form!r}; choose one of {', '.join(FORMS)}.")
        if score not in SCORES:
            raise UnknownNameError(f"Unknown score {score!r}; choose one of {', '.join(SCORES)}.")
        super().__init__(problem, seed)
        warn_if_truncated(max_terms)
        self.annealing = Annealing(tau, tau, 0, 0.0)
        self.search = PositionSearch(Annealing(2.0, 0.3, steps, 0.3))
        self.score, self.normalize, self.max_terms = score, normalize, max_terms
        self.form, self.two_opt = form, two_opt
        self.last: BirkhoffRecord | None = None

    def soft(self, problem: Any, theta: Tensor) -> Tensor:
        matrix = self._matrix(problem, theta)
        terms = self._terms(problem, matrix, theta.detach(), self.score)
        return _Combine.apply(matrix, terms, problem.num_costs, self.normalize)

    def decode(self, problem: Any, theta: Tensor) -> Tensor:
        terms = self._terms(problem, self._matrix(problem, theta), theta, "dynamic")
        costs = theta.cpu().numpy()
        z = np.zeros(theta.shape)
        for row, cost, term in zip(z, costs, terms, strict=True):
            chosen = term.places[cost[term.places].sum(-1).argmin()]
            row[chosen] = 1.0
            if self.two_opt and isinstance(problem, TravelingSalesman):
                tour = problem.tour(torch.from_numpy(row)).numpy().astype(np.int32)
                two_opt_in_place(problem.matrix_of(cost), tour)
                row[:] = problem.decision_of(tour)
        return torch.from_numpy(z).to(theta.device)

    # -- pieces -----------------------------------------------------------------------------------
    def _matrix(self, problem: Any, theta: Tensor) -> Tensor:
        costs = theta / mean_scale(theta)
        tau = self.annealing.tau_end
        if isinstance(problem, Assignment):
            return sinkhorn(-costs.reshape(-1, problem.size, problem.size) / tau, self._sweeps)
        if self.form == "position":
            return self.search.positions(problem, costs, self.generator(theta.device))
        return sinkhorn(-cost_matrix(problem, costs, diagonal=torch.inf) / tau, self._sweeps)

    @property
    def _sweeps(self) -> int:
        return self.annealing.sweeps(0, fewest=50)

    def _terms(self, problem: Any, matrix: Tensor, theta: Tensor, score: str) -> list[_Terms]:
        size = matrix.shape[-1]
        scores = self._scores(problem, theta, size, score)
        most = size * size if self.max_terms is None else self.max_terms
        found = []
        for b, A in enumerate(matrix.detach().cpu().numpy()):
            alpha, permutations, pivots = decompose(np.ascontiguousarray(A), scores[b], most)
            found.append(_Terms(alpha, permutations, pivots, self._places(problem, permutations)))
        self.last = BirkhoffRecord(
            np.array([len(t.alpha) for t in found]),
            np.array([t.alpha.sum() for t in found]),
            self.max_terms is not None or score == "dynamic",
        )
        return found

    def _scores(self, problem: Any, theta: Tensor, size: int, score: str) -> np.ndarray:
        """S (batch, size, size)."""
        noise = np.random.default_rng(self.seed).random((size, size))
        if score == "static":
            return np.broadcast_to(noise, (len(theta), size, size))
        if isinstance(problem, Assignment):
            tables = -theta.reshape(-1, size, size)
            first = np.argsort(permutation_tours(tables), -1)
        else:
            tours = [problem.tour(z).numpy() for z in greedy_tours(problem, theta).cpu()]
            first = np.stack([_as_permutation(tour, self.form) for tour in tours])
        scores = np.tile(noise / (2 * size**3), (len(theta), 1, 1))
        np.put_along_axis(scores, first[:, :, None], 1 + np.take_along_axis(scores, first[:, :, None], 2), 2)
        return scores

    def _places(self, problem: Any, permutations: np.ndarray) -> np.ndarray:
        """(L, n) -> (L, n): the entries of theta that each term chooses."""
        size = permutations.shape[1]
        if isinstance(problem, Assignment):
            return np.arange(size) * size + permutations
        tours = np.argsort(permutations, -1) if self.form == "position" else join_cycles(permutations)
        return np.asarray(problem.edge_index_of(tours, np.roll(tours, -1, axis=1)))


@dataclass(frozen=True)
class _Terms:
    alpha: np.ndarray
    permutations: np.ndarray
    pivots: np.ndarray
    places: np.ndarray


class _Combine(torch.autograd.Function):
    """x = sum_l alpha_l z_l / sum_l alpha_l; backward is that of the extension with f_l = grad'z_l."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, terms: list[_Terms], num_costs: int, normalize: bool) -> Tensor:
        ctx.terms, ctx.normalize = terms, normalize
        x = np.zeros((len(terms), num_costs))
        for row, term in zip(x, terms, strict=True):
            weights = np.repeat(term.alpha / term.alpha.sum(), term.places.shape[1])
            row += np.bincount(term.places.ravel(), weights, num_costs)
        ctx.x = x
        return torch.from_numpy(x).to(matrix.device, matrix.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        rows = []
        for grad, x, term in zip(grads[0].cpu().double().numpy(), ctx.x, ctx.terms, strict=True):
            values = (grad[term.places].sum(-1) - grad @ x) / term.alpha.sum()
            row = weights_adjoint(term.permutations, term.pivots, values)
            rows.append(row / max(float(np.abs(row).max()), 1e-300) if ctx.normalize else row)
        return torch.from_numpy(np.stack(rows)).to(grads[0].device, grads[0].dtype), None, None, None


@compiled
def join_cycles(successors: np.ndarray) -> np.ndarray:
    """(L, n) who follows whom -> (L, n) tours: the cycles one after the other, by their lowest city."""
    count, n = successors.shape
    tours = np.empty((count, n), np.int64)
    for k in range(count):
        seen = np.zeros(n, np.bool_)
        position = 0
        for start in range(n):
            city = start
            while not seen[city]:
                seen[city] = True
                tours[k, position] = city
                position += 1
                city = successors[k, city]
    return tours


def _as_permutation(tour: np.ndarray, form: str) -> np.ndarray:
    """The successor of each city, or its position."""
    out = np.empty(len(tour), np.int64)
    out[tour] = np.arange(len(tour)) if form == "position" else np.roll(tour, -1)
    return out
