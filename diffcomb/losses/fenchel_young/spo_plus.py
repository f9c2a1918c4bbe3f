"""SPO+ with exact solves."""

from __future__ import annotations

from torch import Tensor

from diffcomb.losses.loss import Loss
from diffcomb.problems import Problem


class SPOPlusLoss(Loss):
    """l(theta; c, z) = 2 theta'z - c'z - min over Z of (2 theta - c)'w, averaged over the batch.

    Elmachtoub & Grigas, Management Science 2022, arXiv:1710.08005. Convex in theta, at least the regret
    c'z*(theta) - c'z, zero at theta = c; subgradient 2 (z - z*(2 theta - c)). Needs true costs c and
    optimal decisions z = z*(c). Oracle calls: 1 forward, 0 backward. No knob.

    Args:
        layer: gives the problem and its oracle.
    """

    needs = ("costs", "decisions")

    def block_loss(self, problem: Problem, theta: Tensor, costs: Tensor, z_true: Tensor) -> Tensor:
        shifted = 2 * theta - costs
        w = self.exact_decisions(problem, shifted)
        return problem.cost_of(z_true, shifted) - problem.cost_of(w, shifted)
