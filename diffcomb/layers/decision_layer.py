"""theta -> decision, as an nn.Module with KKT gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from diffcomb.errors import InvalidCostsError, UnknownNameError
from diffcomb.layers.adjoint import attach_adjoint
from diffcomb.layers.decider import Decider, record_of
from diffcomb.layers.exact_decisions import members_by_problem
from diffcomb.layers.record import LayerRecord
from diffcomb.layers.rho import FixedRho, ShareController
from diffcomb.layers.settings import LayerSettings
from diffcomb.oracles import Limits, Oracle, find_oracle
from diffcomb.problems import Problem

Costs = Tensor | Sequence[Tensor]


class DecisionLayer(nn.Module):
    """z = layer(theta): the decision for predicted costs, differentiable in theta.

    decision="exact": forward z*(theta) from the oracle (gap 0 when `last.status` is optimal),
    backward -(1/rho) Pi g, the exact gradient of x_rho(theta) = argmin over X of
    theta'x + (rho/2) ||x - 1/2||^2. decision="relaxed": forward x_rho itself. The gradient of z*
    proper is zero almost everywhere; see docs/theory.md.

    A JobShop decides start times, which move with theta: their own exact derivative is used
    (gradient="remainder"), and solver, rho and backward play no part.

    Args:
        problem: what is decided; or a list of problems, called with a list of cost vectors.
        solver: how x_rho is computed: "kkt"; "vertices", over conv(Z) with the oracle alone; "auto",
            one of the two (`diffcomb.projection.route` has the rule); or a reference solver.
        rho: smoothing in units of costs. Small: x_rho close to z*, few informative gradients.
            Large: smooth, less faithful. A number, a (batch,) tensor, or "auto" (ShareController).
        decision: "exact" or "relaxed".
        backward: how the adjoint's linear system is solved: "cholesky" (the factor the forward pass
            left) or "cg" (matrix-free conjugate gradients).
        lazy_rows: False leaves out rows that would have to be separated (subtours, odd sets, cliques):
            x_rho lives on a larger X, cheaper and often as good to train on; exact decisions are not
            touched.
        certify: "exact" tells in `last.certified` whether x_rho, as computed, is the proven optimum,
            and in `last.exact` whether it would be over conv(Z), for one oracle call more;
            "threshold" adds rho_bar over conv(Z) in `last.threshold`, for a handful. The two differ
            where the polytope is a relaxation with fractional vertices.
        gradient: what the backward pass differentiates: "relaxed", x_rho; "remainder", the continuous part
            of the true decision, discrete choices fixed: exact where it moves at all; "blend", the first
            for integer coordinates and the second for continuous ones; "auto", "relaxed" where there is
            a relaxed decision.
        oracle, time_limit, num_workers, seed: of the exact decision; see `Limits`, which may be given whole
            as `oracle`.

    Attributes:
        last: LayerRecord of the last call.

    Raises:
        UnknownNameError: unknown solver, decision, backward or oracle.
        InvalidCostsError, SolveFailedError: from a call.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        solver: str = "kkt",
        rho: float | Tensor | str = "auto",
        decision: str = "exact",
        backward: str = "cholesky",
        *,
        gradient: str = "auto",
        lazy_rows: bool = True,
        certify: str = "none",
        oracle: str | Oracle | Limits = "auto",
        time_limit: float | None = None,
        num_workers: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        limits = oracle if isinstance(oracle, Limits) else Limits(oracle, time_limit, num_workers, seed)
        self.settings = LayerSettings(solver, decision, gradient, backward, lazy_rows, certify, limits)
        if isinstance(rho, str) and rho != "auto":
            raise UnknownNameError(f"Unknown rho {rho!r}; give a positive number, a tensor or 'auto'.")
        self.problem = problem
        self.rho = ShareController() if isinstance(rho, str) else FixedRho(rho)
        self.last = LayerRecord()
        self._deciders: dict[Problem, Decider] = {}
        if isinstance(problem, Problem):
            find_oracle(limits.oracle, problem)  # refuse an unknown name now, not in the first epoch
            self._decider(problem)

    @property
    def oracle(self) -> Limits:
        """Who decides exactly, and its limits."""
        return self.settings.limits

    def forward(self, theta: Costs, problems: Sequence[Problem] | None = None) -> Any:
        """Decide.

        Args:
            theta: (batch, n) or (n,) for one problem; a list of (n_i,) tensors for a list of problems.
            problems: overrides `self.problem` for this call, one per entry of a list theta.

        Returns:
            Decisions shaped like theta, same dtype and device (a list for a list).
        """
        decisions = self._map(theta, problems, self._decide)
        if self.training:
            self.rho.observe(self.last)
        return decisions

    def relax(self, theta: Costs, problems: Sequence[Problem] | None = None) -> Any:
        """x_rho(theta) and rho, detached, in the structure of theta: what Fenchel-Young losses need.

        With rho="auto" the weight is 0.3 mean|theta|; see `ShareController.rho_of_loss`.

        Returns:
            (x, rho): (batch, n) and (batch,); for a list theta, lists of (n_i,) and () tensors.
        """
        pairs = self._map(theta, problems, self._relax)
        if isinstance(theta, Tensor):
            return pairs
        return [x for x, _ in pairs], [rho for _, rho in pairs]

    # -- one problem, one batch -----------------------------------------------------------------
    def _decide(self, problem: Problem, theta: Tensor) -> tuple[Tensor, LayerRecord]:
        needs_grad = theta.requires_grad and torch.is_grad_enabled()
        costs = theta.detach().double()
        rho = self.rho.rho(problem.cost_scale(costs))
        decided = self._decider(problem).decide(costs, rho, needs_grad=needs_grad)
        if needs_grad:
            assert decided.adjoint is not None
            return attach_adjoint(theta, decided.decision, decided.adjoint), decided.record
        return decided.decision.to(theta.dtype), decided.record

    def _relax(self, problem: Problem, theta: Tensor) -> tuple[tuple[Tensor, Tensor], LayerRecord]:
        costs = theta.detach().double()
        relaxed = self._decider(problem).relax(costs, self.rho.rho_of_loss(problem.cost_scale(costs)))
        pair = (relaxed.x.to(theta.dtype), relaxed.rho.to(theta.dtype))
        return pair, record_of(None, relaxed)

    # -- batches, single vectors and lists --------------------------------------------------------
    def _map(
        self,
        theta: Costs,
        problems: Sequence[Problem] | None,
        call: Callable[[Problem, Tensor], tuple[Any, LayerRecord]],
    ) -> Any:
        """Apply `call` once per distinct problem, on all its costs as one batch; set `last`."""
        if isinstance(theta, Tensor):
            if problems is not None or not isinstance(self.problem, Problem):
                raise InvalidCostsError("A layer over a list of problems takes a list of cost vectors.")
            batch = self.problem.check_costs(theta)
            single = batch.ndim == 1
            out, record = call(self.problem, batch[None] if single else batch)
            self.last = record
            return _index(out, 0) if single else out
        members = members_by_problem(self.problem, problems, len(theta))
        results: list[Any] = [None] * len(theta)
        records: list[Any] = [None] * len(theta)
        for problem, indices in members.items():
            batch = problem.check_costs(torch.stack([theta[i] for i in indices]))
            out, record = call(problem, batch)
            for row, i in enumerate(indices):
                results[i], records[i] = _index(out, row), record.instance(row)
        self.last = LayerRecord.concatenate(records)
        return results

    def _decider(self, problem: Problem) -> Decider:
        """What decides `problem`, built once and kept as long as the layer."""
        if problem not in self._deciders:
            self._deciders[problem] = Decider(problem, self.settings)
        return self._deciders[problem]


def _index(out: Any, row: int) -> Any:
    return tuple(part[row] for part in out) if isinstance(out, tuple) else out[row]
