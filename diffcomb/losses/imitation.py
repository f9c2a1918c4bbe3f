"""Imitation of the schedule that would have been optimal."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffcomb.errors import UnsupportedError
from diffcomb.layers import DecisionLayer
from diffcomb.problems import JobShop


class ImitationLoss(nn.Module):
    """l = mean_i |z_i(theta) - z_i*| / makespan(z*), z* the optimal start times under true durations.

    Needs optimal schedules (of the same `ties` rule, so that they are unique), one solve an example,
    done once. Its gradient is exact where the predicted sequence stays as it is.

    Args:
        layer: a DecisionLayer over a JobShop.
    """

    needs = ("decisions",)

    def __init__(self, layer: DecisionLayer) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, theta: Tensor, z_true: Tensor) -> Tensor:
        """theta predicted durations, z_true optimal start times, both (batch, n) -> scalar."""
        if not isinstance(self.layer.problem, JobShop):
            raise UnsupportedError("ImitationLoss needs a layer over one JobShop.")
        scale = z_true.amax(-1, keepdim=True).clamp_min(torch.finfo(z_true.dtype).tiny)
        return ((self.layer(theta) - z_true).abs() / scale).mean()
