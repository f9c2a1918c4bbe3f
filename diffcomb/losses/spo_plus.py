"""SPO+ with exact solves."""

from __future__ import annotations

from torch import Tensor, nn

from diffcomb.layers import exact_decisions
from diffcomb.losses.batch import Batch, blocks, mean_of, oracle_of
from diffcomb.problems import Problem


class SPOPlusLoss(nn.Module):
    """l(theta; c, z) = 2 theta'z - c'z - min over Z of (2 theta - c)'w, averaged over the batch.

    Elmachtoub & Grigas, Management Science 2022, arXiv:1710.08005. Convex in theta, at least the regret
    c'z*(theta) - c'z, zero at theta = c; subgradient 2 (z - z*(2 theta - c)). Needs true costs c and
    optimal decisions z = z*(c). Oracle calls: 1 forward, 0 backward. No knob.

    Args:
        layer: gives the problem and its oracle.
    """

    needs = ("costs", "decisions")

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(
        self, theta: Batch, costs: Batch, z_true: Batch, problems: list[Problem] | None = None
    ) -> Tensor:
        """theta, costs, z_true (batch, n), or lists of (n_i,) vectors -> scalar."""
        losses = []
        for problem, (t, c, z) in blocks(self.layer, problems, theta, costs, z_true):
            shifted = 2 * t - c
            w = exact_decisions(problem, shifted, oracle_of(self.layer)).to(t.dtype)
            losses.append((shifted * (z - w)).sum(-1))
        return mean_of(losses)
