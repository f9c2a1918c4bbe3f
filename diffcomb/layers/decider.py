"""One problem, a batch of costs -> decisions, their adjoint and a record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.layers.adjoint import Adjoint
from diffcomb.layers.per_problem import remainder_of, right_hand_sides, rows_of, solve_each
from diffcomb.layers.projectors import projector_of
from diffcomb.layers.record import LayerRecord
from diffcomb.layers.settings import LayerSettings
from diffcomb.layers.threshold import exactness_threshold, is_exact
from diffcomb.oracles import OracleResult, Status
from diffcomb.problems import Problem
from diffcomb.projection import RelaxedDecision, RoutedProjector, relaxed_decision

#: convex solvers stop at residuals far below, and x_rho next to a vertex but not at it is far above
_SAME = 1e-6


@dataclass(frozen=True)
class Decided:
    """decision (batch, n) float64; adjoint g -> d loss / d theta, None when no gradient was asked for."""

    decision: Tensor
    adjoint: Adjoint | None
    record: LayerRecord


class Decider:
    """Exact or relaxed decisions of one problem, and the derivative that the settings name.

    relaxed: that of x_rho(theta) through its KKT system. remainder: that of the true decision's continuous
    part, discrete choices fixed. blend: integer coordinates send back the first, continuous ones the second.
    """

    def __init__(self, problem: Problem, settings: LayerSettings) -> None:
        self.problem, self.settings = problem, settings
        self.gradient = settings.gradient
        if self.gradient == "auto":
            self.gradient = "relaxed" if problem.has_linear_oracle else "remainder"
        if not problem.has_linear_oracle and (settings.decision, self.gradient) != ("exact", "remainder"):
            raise UnsupportedError(
                f"{type(problem).__name__} has no relaxed decision; use decision='exact' with"
                " gradient='remainder', which is exact there."
            )
        if self.gradient != "relaxed" and settings.decision == "relaxed":
            raise UnsupportedError(
                f"gradient={self.gradient!r} is a derivative of the exact decision; use decision='exact'."
            )
        self._projector: RoutedProjector | None = None

    @property
    def projector(self) -> RoutedProjector:
        """Built on first use: an exact decision without gradient needs no polytope."""
        if self._projector is None:
            s = self.settings
            self._projector = projector_of(
                self.problem, s.solver, limits=s.limits, backward=s.backward, lazy_rows=s.lazy_rows
            )
        return self._projector

    def relax(
        self, problems: Sequence[Problem], theta: Tensor, rho: Tensor, start: Tensor | None = None
    ) -> RelaxedDecision:
        """x_rho for theta (batch, P) float64, rho (batch,); its adjoint goes back to theta.

        Args:
            problems: one for all rows, or one a row, of the structure of this decider's.

        Raises:
            UnsupportedError: the problem has no relaxed decision.
        """
        if not self.problem.has_linear_oracle:
            raise UnsupportedError(
                f"{type(self.problem).__name__} has no relaxed decision: Fenchel-Young losses do not apply;"
                " use a loss of the decision itself (PlannedStartLoss, ImitationLoss) or optimal_value."
            )
        rhs = None if len(problems) == 1 else right_hand_sides(problems)
        costs = self.problem.costs_of(theta)
        relaxed = relaxed_decision(self.projector, costs, rho, start=start, rhs=rhs)
        return replace(relaxed, adjoint=self._to_theta(relaxed.adjoint))

    def _to_theta(self, adjoint: Adjoint) -> Adjoint:
        cost_map = self.problem.cost_map
        if cost_map is None:
            return adjoint
        return lambda grad: cost_map.pull(adjoint(grad))

    def decide(self, problems: Sequence[Problem], theta: Tensor, rho: Tensor, *, needs_grad: bool) -> Decided:
        """theta (batch, P) float64, rho (batch,); problems as for `relax`."""
        s, solved = self.settings, None
        if s.decision == "exact":
            solved = solve_each(problems, theta, s.limits)
        by_projection = self.gradient != "remainder"
        certify = s.certify != "none"
        relaxed = None
        if (needs_grad and by_projection) or s.decision == "relaxed" or certify:
            start = None if solved is None else solved.decision
            relaxed = self.relax(problems, theta, rho, start)
        record = record_of(solved, relaxed)
        if certify:
            assert relaxed is not None
            solved = solved or solve_each(problems, theta, s.limits)
            record = self._certified(problems, record, theta, rho, solved, relaxed)
        decision = relaxed.x if solved is None or s.decision == "relaxed" else solved.decision  # type: ignore[union-attr]
        if not needs_grad:
            return Decided(decision, None, record)
        record = replace(record, gradient=self.gradient)
        if self.gradient == "relaxed":
            assert relaxed is not None
            return Decided(decision, relaxed.adjoint, record)
        remainder = remainder_of(problems, decision, theta)
        record = replace(record, tied=remainder.tied)
        if self.gradient == "remainder":
            return Decided(decision, remainder.adjoint, record)
        assert relaxed is not None
        return Decided(decision, self._blended(relaxed.adjoint, remainder.adjoint), record)

    def _blended(self, relaxed: Adjoint, remainder: Adjoint) -> Callable[[Tensor], Tensor]:
        integer = torch.from_numpy(self.problem.polytope().integer)

        def adjoint(grad: Tensor) -> Tensor:
            discrete = integer.to(grad.device)
            return relaxed(grad * discrete) + remainder(grad * ~discrete)

        return adjoint

    def _certified(
        self,
        problems: Sequence[Problem],
        record: LayerRecord,
        theta: Tensor,
        rho: Tensor,
        solved: OracleResult,
        relaxed: RelaxedDecision,
    ) -> LayerRecord:
        """Add `certified`, `exact` (one oracle call) and, if asked for, `threshold` (a handful)."""
        z, limits = solved.decision, self.settings.limits
        optimal = torch.tensor([s is Status.OPTIMAL for s in solved.statuses], device=theta.device)
        certified = optimal & ((relaxed.x - z).abs().amax(-1) <= _SAME)
        certificate = torch.empty(len(theta), dtype=torch.bool, device=theta.device)
        threshold = torch.empty(len(theta), dtype=theta.dtype, device=theta.device)
        for problem, rows in rows_of(problems, len(theta)):
            certificate[rows] = is_exact(problem, theta[rows], rho[rows], z[rows], oracle=limits)
            if self.settings.certify == "threshold":
                found = exactness_threshold(problem, theta[rows], oracle=limits)
                assert isinstance(found, Tensor)
                threshold[rows] = found
        asked = threshold if self.settings.certify == "threshold" else None
        return replace(record, rho=rho, certified=certified, exact=certificate, threshold=asked)


def record_of(exact: OracleResult | None, relaxed: RelaxedDecision | None) -> LayerRecord:
    return LayerRecord(
        statuses=exact.statuses if exact else (),
        value=exact.value if exact else None,
        bound=exact.bound if exact else None,
        unique=exact.unique if exact else None,
        rho=relaxed.rho if relaxed else None,
        kkt_residual=relaxed.kkt_residual if relaxed else None,
        active_rows=relaxed.active_rows if relaxed else None,
        iterations=relaxed.iterations if relaxed else None,
        face_dimension=relaxed.face_dimension if relaxed else None,
        route=relaxed.route if relaxed else None,
    )
