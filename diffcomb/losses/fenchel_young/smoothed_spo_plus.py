"""SPO+ with its exact solve replaced by the relaxed decision."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from diffcomb.layers import Costs, as_rows
from diffcomb.losses.fenchel_young.fenchel_young import excess
from diffcomb.losses.loss import Loss
from diffcomb.problems import Problem


class SmoothedSPOPlusLoss(Loss):
    """l(theta; c, z) = Fenchel-Young loss at 2 theta - c, gradient 2 (z - x_rho(2 theta - c)).

    As rho -> 0 it becomes SPO+ (Elmachtoub & Grigas 2022, arXiv:1710.08005), up to a constant.
    Needs true costs c and optimal decisions z = z*(c); no exact solve in training.

    Args:
        layer: gives the problem, the convex solver and rho. Small rho: SPO+ itself. Large: smoother.
    """

    needs = ("costs", "decisions")

    def decide(self, problems: Sequence[Problem] | None, *given: Costs) -> tuple[Costs, Costs]:
        shifted = [2 * t - c for t, c in zip(*map(as_rows, given[:2]), strict=True)]
        x, rho = self.layer.relax(shifted[0] if isinstance(given[0], Tensor) else shifted, problems)
        return x, rho

    def block_loss(
        self, problem: Problem, theta: Tensor, costs: Tensor, z_true: Tensor, x: Tensor, rho: Tensor
    ) -> Tensor:
        return excess(problem, 2 * theta - costs, z_true, x, rho)
