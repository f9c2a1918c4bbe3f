"""Lagrangian proximal gradient descent."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from diffcomb.errors import UnknownNameError, UnsupportedError
from diffcomb.layers import Adjoint, cost_scale, matching_step, projector_of
from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem, ProblemCache
from diffcomb.projection import RoutedProjector
from diffcomb.relaxations.convex.proximal import proximal_decision
from diffcomb.relaxations.exact_decision import ExactDecision


class LPGD(ExactDecision):
    """Forward z = z*(theta), backward (x(tau) - z) / tau, x(tau) = argmin over X of
    (theta + tau g)'x + (rho/2) ||x - z||^2.

    Paulus, Martius & Musil, ICML 2024, arXiv:2407.05920, for costs linear in theta. rho = 0 is
    black-box differentiation ("upper"); rho > 0 keeps x(tau) near z, on the relaxation X. "lower" is
    (z - x(-tau)) / tau, "average" (x(tau) - x(-tau)) / (2 tau). Oracle calls: 1 forward; backward 1
    (average: 2), of the oracle with rho = 0, of the convex solver otherwise. Biased.

    Args:
        strength: tau ||g|| / ||theta||, as lambda in BlackBoxDifferentiation.
        rho: in units of mean|theta|. Small: jumps to another vertex. Large: short, informative moves.
        mode: "upper", "lower" or "average".
        solver: of the proximal problem, see `DecisionLayer`.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        strength: float = 1.0,
        rho: float = 0.1,
        mode: str = "average",
        solver: str = "kkt",
        *,
        oracle: str | Oracle | Limits = "auto",
    ) -> None:
        super().__init__(problem, oracle=oracle)
        if not strength > 0 or not rho >= 0:
            raise UnsupportedError("strength must be positive and rho not negative.")
        if mode not in ("upper", "lower", "average"):
            raise UnknownNameError(f"Unknown mode {mode!r}; choose upper, lower or average.")
        self.strength, self.rho, self.mode, self.solver = strength, rho, mode, solver
        self._projectors: ProblemCache[RoutedProjector] = ProblemCache()

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        z = self.solve(problem, theta)

        def adjoint(grad: Tensor) -> Tensor:
            tau = self.strength * matching_step(theta, grad)
            signs = {"upper": [1.0], "lower": [-1.0], "average": [1.0, -1.0]}[self.mode]
            moved = self._proximal(problem, torch.stack([theta + s * tau * grad for s in signs]), theta, z)
            if self.mode == "average":
                return (moved[0] - moved[1]) / (2 * tau)
            return signs[0] * (moved[0] - z) / tau

        return z, adjoint

    def _proximal(self, problem: Problem, costs: Tensor, theta: Tensor, center: Tensor) -> Tensor:
        """argmin costs'x + (rho/2) ||x - center||^2, (k, batch, n) -> (k, batch, n)."""
        if self.rho == 0:
            return self.solve(problem, costs)
        projector = self._projectors.get(
            problem, lambda: projector_of(problem, self.solver, limits=self.oracle)
        )
        rho = (self.rho * cost_scale(theta)[:, 0]).repeat(len(costs))
        moved = proximal_decision(problem, projector, costs.flatten(0, 1), rho, center.repeat(len(costs), 1))
        return moved.x.reshape(*costs.shape[:-1], -1)
