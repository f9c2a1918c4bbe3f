"""SPO+ with its exact solve replaced by the relaxed decision."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.layers import DecisionLayer
from diffcomb.losses.batch import Batch, as_rows
from diffcomb.losses.fenchel_young import FenchelYoungLoss
from diffcomb.problems import Problem


class SmoothedSPOPlusLoss(nn.Module):
    """l(theta; c, z) = Fenchel-Young loss at 2 theta - c, gradient 2 (z - x_rho(2 theta - c)).

    As rho -> 0 it becomes SPO+ (Elmachtoub & Grigas 2022, arXiv:1710.08005), up to a constant.
    Needs true costs c and optimal decisions z = z*(c); no exact solve in training.

    Args:
        layer: gives the problem, the convex solver and rho. Small rho: SPO+ itself. Large: smoother.
    """

    needs = ("costs", "decisions")

    def __init__(self, layer: DecisionLayer) -> None:
        super().__init__()
        self.fenchel_young = FenchelYoungLoss(layer)

    def forward(
        self, theta: Batch, costs: Batch, z_true: Batch, problems: list[Problem] | None = None
    ) -> Tensor:
        """theta, costs, z_true (batch, n), or lists of (n_i,) vectors -> scalar."""
        shifted = [2 * t - c for t, c in zip(as_rows(theta), as_rows(costs), strict=True)]
        return self.fenchel_young(shifted[0] if isinstance(theta, Tensor) else shifted, z_true, problems)
