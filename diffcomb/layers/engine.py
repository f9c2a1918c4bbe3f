"""The engine of a layer: one problem, a batch of costs -> decisions, their adjoint and a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from diffcomb.layers.record import LayerRecord
from diffcomb.layers.threshold import exactness_threshold, is_exact
from diffcomb.oracles import Limits, OracleResult, Status
from diffcomb.problems import Problem
from diffcomb.projection import AutoSolver, ConvexSolver, RelaxedDecision, VerticesSolver, make_solver

#: convex solvers stop at residuals far below, and x_rho next to a vertex but not at it is far above
_SAME = 1e-6


@dataclass(frozen=True)
class Decided:
    """decision (batch, n) float64; adjoint g -> d loss / d theta, None when no gradient was asked for."""

    decision: Tensor
    adjoint: Callable[[Tensor], Tensor] | None
    record: LayerRecord


class Engine(Protocol):
    """decide: theta (batch, n) float64, rho (batch,)."""

    @property
    def problem(self) -> Problem: ...

    def decide(self, theta: Tensor, rho: Tensor, *, needs_grad: bool) -> Decided: ...

    def relax(self, theta: Tensor, rho: Tensor) -> RelaxedDecision: ...


class BinaryEngine:
    """Exact or relaxed 0-1 decisions, differentiated through the KKT system of x_rho.

    exact: forward z*(theta), backward -(1/rho) Pi at x_rho(theta): an exact decision with the exact
    gradient of the *relaxed* decision, a biased estimator of nothing but itself.
    relaxed: forward x_rho(theta) and its own exact Jacobian.
    """

    def __init__(
        self,
        problem: Problem,
        solver: str,
        decision: str,
        oracle: Limits,
        backward: str = "cholesky",
        certify: str = "none",
        lazy_rows: bool = True,
    ) -> None:
        self.problem = problem
        self.backward, self.certify = backward, certify
        self.decision = decision
        self.oracle = oracle
        self._solver_name, self._lazy_rows = solver, lazy_rows
        self._solver: ConvexSolver | None = None

    @property
    def solver(self) -> ConvexSolver:
        """Built on first use: an exact decision without gradient needs no polytope."""
        if self._solver is None:
            self._solver = make_solver(
                self._solver_name, self.problem, self.backward, lazy_rows=self._lazy_rows
            )
        return self._solver

    def relax(self, theta: Tensor, rho: Tensor) -> RelaxedDecision:
        return self.solver.solve(theta, rho)

    def decide(self, theta: Tensor, rho: Tensor, *, needs_grad: bool) -> Decided:
        exact = self._solve(theta) if self.decision == "exact" else None
        needs_relaxed = needs_grad or self.decision == "relaxed" or self.certify != "none"
        relaxed = self._relax_from(exact, theta, rho) if needs_relaxed else None
        if exact is not None:
            decision = exact.decision
        else:
            assert relaxed is not None
            decision = relaxed.x
        record = record_of(exact, relaxed)
        if self.certify != "none":
            assert relaxed is not None
            record = self._certified(record, theta, rho, exact or self._solve(theta), relaxed)
        return Decided(decision, relaxed.adjoint if relaxed is not None else None, record)

    def _relax_from(self, exact: OracleResult | None, theta: Tensor, rho: Tensor) -> RelaxedDecision:
        """`relax`, from the exact decision where the solver can use it."""
        if exact is not None and isinstance(self.solver, VerticesSolver | AutoSolver):
            return self.solver.solve(theta, rho, start=exact.decision)
        return self.relax(theta, rho)

    def _certified(
        self,
        record: LayerRecord,
        theta: Tensor,
        rho: Tensor,
        solved: OracleResult,
        relaxed: RelaxedDecision,
    ) -> LayerRecord:
        """Add `certified`, `exact` (one oracle call) and, if asked for, `threshold` (a handful)."""
        z = solved.decision
        optimal = torch.tensor([s is Status.OPTIMAL for s in solved.statuses], device=theta.device)
        certified = optimal & ((relaxed.x - z).abs().amax(-1) <= _SAME)
        certificate = is_exact(self.problem, theta, rho, z, oracle=self.oracle.oracle)
        threshold = None
        if self.certify == "threshold":
            found = exactness_threshold(self.problem, theta, oracle=self.oracle.oracle)
            assert isinstance(found, Tensor)
            threshold = found
        return replace(record, rho=rho, certified=certified, exact=certificate, threshold=threshold)

    def _solve(self, theta: Tensor) -> OracleResult:
        return self.problem.solve(theta, self.oracle)


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
    )
