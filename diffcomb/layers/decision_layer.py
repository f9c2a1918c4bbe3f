"""theta -> decision, as an nn.Module with KKT gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from diffcomb.errors import UnknownNameError
from diffcomb.layers.adjoint import attach_adjoint
from diffcomb.layers.decider import Decider, record_of
from diffcomb.layers.grouping import Block, Costs, Grouping, group
from diffcomb.layers.record import LayerRecord
from diffcomb.layers.rho import FixedRho, ShareController
from diffcomb.layers.settings import LayerSettings
from diffcomb.oracles import Limits, Oracle, find_oracle
from diffcomb.problems import Problem, ProblemCache


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
        # instances of one structure are one compiled call, unless their oracles are asked one by one
        self._by_structure = solver not in ("vertices", "auto")
        self._engines: ProblemCache[Decider] = ProblemCache(by_structure=self._by_structure)
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
        return pairs if pairs else ([], [])

    # -- one block of rows ----------------------------------------------------------------------
    def _decide(self, block: Block) -> tuple[Tensor, LayerRecord]:
        theta = block.theta
        needs_grad = theta.requires_grad and torch.is_grad_enabled()
        costs = theta.detach().double()
        rho = self.rho.rho(block.problem.cost_scale(costs))
        decided = self._decider(block.problem).decide(block.problems, costs, rho, needs_grad=needs_grad)
        if needs_grad:
            assert decided.adjoint is not None
            return attach_adjoint(theta, decided.decision, decided.adjoint), decided.record
        return decided.decision.to(theta.dtype), decided.record

    def _relax(self, block: Block) -> tuple[tuple[Tensor, Tensor], LayerRecord]:
        theta = block.theta
        costs = theta.detach().double()
        rho = self.rho.rho_of_loss(block.problem.cost_scale(costs))
        relaxed = self._decider(block.problem).relax(block.problems, costs, rho)
        pair = (relaxed.x.to(theta.dtype), relaxed.rho.to(theta.dtype))
        return pair, record_of(None, relaxed)

    def _map(
        self,
        theta: Costs,
        problems: Sequence[Problem] | None,
        call: Callable[[Block], tuple[Any, LayerRecord]],
    ) -> Any:
        """Apply `call` once per distinct problem or structure, on all its costs; set `last`."""
        grouping = group(self.problem, theta, problems, by_structure=self._by_structure)
        done = [call(block) for block in grouping.blocks]
        self.last = _joined([record for _, record in done], grouping)
        if not done:
            return []
        return grouping.restore([answer for answer, _ in done])

    def _decider(self, problem: Problem) -> Decider:
        """What decides `problem` and all of its structure, kept for a bounded number of them."""
        return self._engines.get(problem, lambda: Decider(problem, self.settings))


def _joined(records: list[LayerRecord], grouping: Grouping) -> LayerRecord:
    """The record of the whole call, in the order of its costs."""
    if len(records) == 1:
        return records[0]
    rows: list[Any] = [None] * grouping.count
    for block, record in zip(grouping.blocks, records, strict=True):
        for row, place in enumerate(block.places or range(grouping.count)):
            rows[place] = record.instance(row)
    return LayerRecord.concatenate(rows)
