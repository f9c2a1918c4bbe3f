"""Black-box differentiation."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.layers import Adjoint, matching_step
from diffcomb.oracles import Limits, Oracle
from diffcomb.problems import Problem
from diffcomb.relaxations.exact_decision import ExactDecision


class BlackBoxDifferentiation(ExactDecision):
    """Forward z*(theta), backward (z*(theta + lambda g) - z*(theta)) / lambda.

    Vlastelica et al., ICLR 2020, arXiv:1912.02175 (DBB). It is the exact gradient of
    (min over Z of (theta + lambda g)'z - min over Z of theta'z) / lambda, a piecewise affine
    interpolation of g'z*(theta). Oracle calls: 1 forward, 1 backward. Biased; zero where lambda g
    changes no decision.

    Args:
        strength: lambda ||g|| / ||theta||; the paper's lambda is absolute, this one serves all scales.
            Small: faithful, mostly zero. Large: informative, forgets theta.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        strength: float = 1.0,
        *,
        oracle: str | Oracle | Limits = "auto",
    ) -> None:
        super().__init__(problem, oracle=oracle)
        if not strength > 0:
            raise UnsupportedError(f"strength must be positive, got {strength}.")
        self.strength = strength

    def estimate(self, problem: Problem, theta: Tensor) -> tuple[Tensor, Adjoint]:
        z = self.solve(problem, theta)

        def adjoint(grad: Tensor) -> Tensor:
            step = self.strength * matching_step(theta, grad)
            return (self.solve(problem, theta + step * grad) - z) / step

        return z, adjoint
