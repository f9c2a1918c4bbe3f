"""Negative identity, with the projections that keep it from running away."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from diffcomb.errors import UnknownNameError, UnsupportedError
from diffcomb.layers import Adjoint
from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem, ProblemCache
from diffcomb.relaxations.exact_decision import ExactDecision


class NegativeIdentity(ExactDecision):
    """Forward z*(theta), backward -J'g with J = d P(theta) / d theta of a projection P that keeps z*.

    Sahoo et al., ICLR 2023, arXiv:2205.15213 (NID). P removes what no decision depends on:
    `center` subtracts directions constant on Z, `normalize` divides by the norm. Without them
    J = I and theta grows along -g for ever. Oracle calls: 1 forward, 0 backward. Biased: it knows the
    equations of the feasible set, nothing else of it.

    Args:
        center: "none"; "mean", the paper's, only where all decisions have equally many ones;
            "equalities", the whole row space of the polytope's equations (node potentials of a path,
            row and column constants of an assignment), which the mean is one direction of.
        normalize: divide by the norm. Gradients then scale as 1/||theta||.

    Raises:
        UnsupportedError: center="mean" where removing it changes decisions.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        center: str = "equalities",
        normalize: bool = True,
        *,
        oracle: str | Oracle | Limits = "auto",
    ) -> None:
        super().__init__(problem, oracle=oracle)
        if center not in ("none", "mean", "equalities"):
            raise UnknownNameError(f"Unknown center {center!r}; choose none, mean or equalities.")
        self.center, self.normalize = center, normalize
        self._bases: ProblemCache[Tensor] = ProblemCache(by_structure=True)

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        z = self.solve(problem, theta)
        basis = self._bases.get(problem, lambda: self._basis(problem)).to(theta)

        def remove(v: Tensor) -> Tensor:
            return v - (v @ basis) @ basis.T

        def adjoint(grad: Tensor) -> Tensor:
            flat = remove(grad)
            if not self.normalize:
                return -flat
            # in units of the largest cost, whose squares may overflow
            largest = theta.abs().amax(-1, keepdim=True)
            largest = torch.where(largest > 0, largest, 1.0)
            centered = remove(theta / largest)
            norm = torch.linalg.vector_norm(centered, dim=-1, keepdim=True)
            norm = torch.where(norm > 0, norm, 1.0)
            unit = centered / norm
            return -(flat - (flat * unit).sum(-1, keepdim=True) * unit) / norm / largest

        return z, adjoint

    def _basis(self, problem: Problem) -> Tensor:
        """Orthonormal columns (n, k) of what is removed from the costs."""
        n = problem.num_costs
        if self.center == "none":
            return torch.zeros(n, 0, dtype=torch.float64)
        rows = torch.from_numpy(problem.polytope().A.toarray())
        _, singular, right = torch.linalg.svd(rows, full_matrices=False)
        equalities = right[singular > 1e-9 * max(1.0, float(singular.max()) if len(singular) else 1.0)].T
        if self.center == "equalities":
            return equalities
        mean = torch.full((n, 1), n**-0.5, dtype=torch.float64)
        if float(torch.linalg.vector_norm(mean - equalities @ (equalities.T @ mean))) > 1e-9:
            raise UnsupportedError(
                f"Decisions of {type(problem).__name__} differ in their number of ones, so the mean cost"
                " matters; use center='equalities' or 'none'."
            )
        return mean
