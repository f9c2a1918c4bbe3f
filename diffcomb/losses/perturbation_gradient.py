"""Perturbation gradient losses."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffcomb.errors import UnknownNameError, UnsupportedError
from diffcomb.layers import matching_step
from diffcomb.losses.loss import Loss
from diffcomb.problems import Problem


class PerturbationGradientLoss(Loss):
    """l(theta; c) = (V(theta + h c) - V(theta - h c)) / (2 h), V(theta) = min over Z of theta'z.

    Gupta & Huang 2024, arXiv:2402.03256 (PG). A difference quotient of V in the direction c, where the
    derivative is c'z*(theta); error h^2 away from ties. "backward", (V(theta) - V(theta - h c)) / h, is
    never below c'z*(theta) since V is concave; "forward", (V(theta + h c) - V(theta)) / h, never above.
    Gradient: the difference of the decisions at both ends over their distance. A difference of concave
    functions, not convex. Needs true costs. Oracle calls: 2 forward, 0 backward.

    Args:
        layer: gives the problem and its oracle.
        width: h ||c|| / ||theta||, held constant by the backward pass (the paper's h is absolute).
            Small: close to the regret, mostly zero gradients. Large: smooth, biased.
        difference: "central", "backward" or "forward".
    """

    needs = ("costs",)

    def __init__(self, layer: nn.Module, width: float = 1.0, difference: str = "central") -> None:
        super().__init__(layer)
        if not width > 0:
            raise UnsupportedError(f"width must be positive, got {width}.")
        if difference not in ("backward", "forward", "central"):
            raise UnknownNameError(f"Unknown difference {difference!r}; choose backward, forward or central.")
        self.width, self.difference = width, difference

    def block_loss(self, problem: Problem, theta: Tensor, costs: Tensor) -> Tensor:
        h = self.width * matching_step(theta, costs)
        high = theta if self.difference == "backward" else theta + h * costs
        low = theta if self.difference == "forward" else theta - h * costs
        ends = torch.stack([high, low])
        value = problem.cost_of(self.exact_decisions(problem, ends), ends)
        return (value[0] - value[1]) / (h[:, 0] * (2 if self.difference == "central" else 1))
