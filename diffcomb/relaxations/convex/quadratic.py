"""Relaxed decisions with a quadratic term: QPTL and SparseMAP."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Adjoint, cost_scale, projector_of
from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem, ProblemCache
from diffcomb.projection import RoutedProjector
from diffcomb.relaxations.convex.proximal import proximal_decision
from diffcomb.relaxations.exact_decision import ExactDecision


class QPTL(ExactDecision):
    """x(theta) = argmin over the LP relaxation of theta'x + gamma ||x||^2, with its exact KKT Jacobian.

    Wilder, Dilkina & Tambe, AAAI 2019, arXiv:1809.05504 (quadratic programming task loss). Unbiased for
    x, which is fractional and pulled towards few ones; on the rows known from the start alone (no
    subtours). Oracle calls: 0 forward, 0 backward; one convex solve.

    Args:
        gamma: in units of mean|theta| (the paper's 0.1 is absolute). Small: close to a vertex, zero
            gradients. Large: smooth, forgets the costs.
        solver: see `DecisionLayer`.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        gamma: float = 0.5,
        solver: str = "kkt",
        *,
        oracle: str | Oracle | Limits = "auto",
    ) -> None:
        super().__init__(problem, oracle=oracle)
        if not gamma > 0:
            raise UnsupportedError(f"gamma must be positive, got {gamma}.")
        self.gamma, self.solver = gamma, solver
        self._projectors: ProblemCache[RoutedProjector] = ProblemCache()

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        projector = self._projectors.get(
            problem, lambda: projector_of(problem, self.solver, limits=self.oracle, lazy_rows=False)
        )
        relaxed = proximal_decision(problem, projector, theta, 2 * self.gamma * cost_scale(theta)[:, 0])
        return relaxed.x, relaxed.adjoint


class SparseMAP(ExactDecision):
    """x(theta) = argmin over conv(Z) of theta'x + (rho/2) ||x||^2 by an active set of members of Z.

    Niculae et al., ICML 2018, arXiv:1802.04223. Exact on conv(Z) with the oracle alone, Jacobian
    -(1/rho) P, P the projector on the span of the members' differences. Oracle calls: a few for small
    rho, up to hundreds for large, forward; 0 backward. Converged rows leave the batch. Unbiased for x.

    Args:
        rho: in units of mean|theta|. Small: one member, zero gradient. Large: many members, many calls.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        rho: float = 0.3,
        *,
        oracle: str | Oracle | Limits = "auto",
    ) -> None:
        super().__init__(problem, oracle=oracle)
        if not rho > 0:
            raise UnsupportedError(f"rho must be positive, got {rho}.")
        self.rho = rho
        self._projectors: ProblemCache[RoutedProjector] = ProblemCache()

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        projector = self._projectors.get(
            problem, lambda: projector_of(problem, "vertices", limits=self.oracle)
        )
        relaxed = proximal_decision(problem, projector, theta, self.rho * cost_scale(theta)[:, 0])
        return relaxed.x, relaxed.adjoint
