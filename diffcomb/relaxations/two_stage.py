"""Two-stage prediction: decide exactly on predicted costs, send no gradient through the decision."""

from __future__ import annotations

from torch import Tensor

from diffcomb.problems import Problem
from diffcomb.relaxations.exact_decision import ExactDecision


class TwoStage(ExactDecision):
    """Forward z*(theta), backward nothing: train the encoder on costs (CostMSELoss) instead.

    Oracle calls: 1 forward, 0 backward. Needs true costs. What every comparison is held against; decides
    start times as well.

    Args:
        problem: what is decided; or a list of problems, called with a list of cost vectors.
        oracle: a name, an oracle, or Limits.
    """

    def decide(self, problem: Problem, theta: Tensor) -> Tensor:
        return problem.solve(theta.detach(), self.oracle).decision
