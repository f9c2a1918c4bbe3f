"""The Fenchel-Young loss of x_rho."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.layers import DecisionLayer
from diffcomb.losses.batch import Batch, as_rows, mean_of
from diffcomb.problems import Problem
from diffcomb.projection import relaxed_objective


class FenchelYoungLoss(nn.Module):
    """l(theta; z) = theta'z + rho R(z) - min over X of (theta'x + rho R(x)), averaged over the batch.

    Convex in theta, >= 0, gradient z - x_rho(theta) (Blondel, Martins & Niculae 2020). Zero exactly
    when z is optimal with rho <= rho_bar: a structured margin. Needs optimal decisions, no costs and
    no exact solve; the forward solve gives the gradient.

    Args:
        layer: gives the problem, the convex solver and rho.
    """

    needs = ("decisions",)

    def __init__(self, layer: DecisionLayer) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, theta: Batch, z_true: Batch, problems: list[Problem] | None = None) -> Tensor:
        """theta, z_true (batch, n), or lists of (n_i,) vectors -> scalar."""
        x, rho = self.layer.relax(theta, problems)
        return mean_of(
            relaxed_objective(z, t, r) - relaxed_objective(x_rho, t, r)
            for t, z, x_rho, r in zip(*map(as_rows, (theta, z_true, x, rho)), strict=True)
        )
