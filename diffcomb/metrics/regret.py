"""Regret of decisions."""

from __future__ import annotations

import torch
from torch import Tensor

from diffcomb.errors import InvalidCostsError

#: optima below this share of the costs at stake are rounding: nothing is measured in units of them
_NOTHING = 1e-6


def normalized_regret(cost: Tensor, optimum: Tensor, at_stake: Tensor | None = None) -> Tensor:
    """sum (c'z - V(c)) / `regret_unit` over the batch: 0 is perfect, 0.1 costs 10 % too much -> ().

    Never NaN. No instances, or no regret: 0. A decision of infinite cost: infinite.

    Args:
        cost, optimum: (...) c'z of the decisions taken and V(c) of the optimal ones, to be minimised.
        at_stake: see `regret_unit`.

    Raises:
        InvalidCostsError: cost and optimum of different shapes, or NaN.
    """
    if cost.shape != optimum.shape or bool(torch.isnan(cost).any() | torch.isnan(optimum).any()):
        raise InvalidCostsError(
            f"Regret needs one cost and one optimum an instance, none of them NaN; got shapes"
            f" {tuple(cost.shape)} and {tuple(optimum.shape)}."
        )
    # sums of half-precision costs overflow
    dtype = torch.promote_types(torch.promote_types(cost.dtype, optimum.dtype), torch.float32)
    regret = (cost.double() - optimum.double()).sum()
    unit = regret_unit(cost, optimum, at_stake)
    relative = torch.where(regret.isfinite() & unit.isfinite(), regret / unit, regret)
    return torch.where(regret == 0, 0.0, relative).to(dtype)


def regret_unit(cost: Tensor, optimum: Tensor, at_stake: Tensor | None = None) -> Tensor:
    """What regrets are measured in, float64, positive: sum |V(c)|, where that is anything at all.

    Where optimal decisions cost nothing (jobs that can all be on time, a sack that takes nothing), or
    less than a millionth of what is at stake, which is rounding: the sum of `at_stake`, so that regrets
    of several decisions can be compared. Without it the cost itself: 1 then says that all of it could
    have been avoided, and nothing about how much that is.

    Args:
        cost, optimum: as in `normalized_regret`.
        at_stake: (...) size of the costs of each instance whatever is decided, sum |c|.
    """
    unit = optimum.double().abs().sum()
    others = (cost if at_stake is None else at_stake).double().abs().sum()
    return torch.where((unit > _NOTHING * others) | (others == 0), unit, others).clamp_min(1e-300)
