"""Imitation of the schedule that would have been optimal."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from diffcomb.layers import Costs
from diffcomb.losses.loss import Loss
from diffcomb.losses.schedules.job_shops_only import job_shop_of
from diffcomb.problems import Problem


class ImitationLoss(Loss):
    """l = mean_i |z_i(theta) - z_i*| / makespan(z*), z* the optimal start times under true durations.

    Needs optimal schedules (of the same `ties` rule, so that they are unique), one solve an example,
    done once. Its gradient is exact where the predicted sequence stays as it is.

    Args:
        layer: a DecisionLayer over a JobShop.
    """

    needs = ("decisions",)

    def __init__(self, layer: nn.Module) -> None:
        super().__init__(layer)
        job_shop_of(layer.problem, self)

    def decide(self, problems: Sequence[Problem] | None, *given: Costs) -> tuple[Costs]:
        return (self.layer(given[0], problems),)

    def block_loss(self, problem: Problem, theta: Tensor, z_true: Tensor, decision: Tensor) -> Tensor:
        job_shop_of(problem, self)
        scale = z_true.amax(-1, keepdim=True).clamp_min(torch.finfo(z_true.dtype).tiny)
        return ((decision - z_true).abs() / scale).mean(-1)
