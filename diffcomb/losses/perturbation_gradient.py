"""Perturbation gradient losses."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffcomb.errors import UnknownNameError, UnsupportedError
from diffcomb.layers import exact_decisions, matching_step
from diffcomb.losses.batch import Batch, blocks, mean_of, oracle_of
from diffcomb.problems import Problem


class PerturbationGradientLoss(nn.Module):
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
        super().__init__()
        if not width > 0:
            raise UnsupportedError(f"width must be positive, got {width}.")
        if difference not in ("backward", "forward", "central"):
            raise UnknownNameError(f"Unknown difference {difference!r}; choose backward, forward or central.")
        self.layer, self.width, self.difference = layer, width, difference

    def forward(self, theta: Batch, costs: Batch, problems: list[Problem] | None = None) -> Tensor:
        """theta, costs (batch, n), or lists of (n_i,) vectors -> scalar."""
        losses = []
        for problem, (t, c) in blocks(self.layer, problems, theta, costs):
            h = self.width * matching_step(t, c)
            high = t if self.difference == "backward" else t + h * c
            low = t if self.difference == "forward" else t - h * c
            z = exact_decisions(problem, torch.stack([high, low]), oracle_of(self.layer)).to(t.dtype)
            gap = (high * z[0]).sum(-1) - (low * z[1]).sum(-1)
            losses.append(gap / (h[:, 0] * (2 if self.difference == "central" else 1)))
        return mean_of(losses)
