"""Regret of decisions."""

from __future__ import annotations

import torch
from torch import Tensor

#: an optimum below this share of what was paid is rounding
_NOTHING = 1e-6


def normalized_regret(cost: Tensor, optimum: Tensor, unit: Tensor | None = None) -> Tensor:
    """sum (c'z - V(c)) / max(sum |V(c)|, sum unit) over the batch: 0 is perfect, 0.1 costs 10 % too much.

    An optimum may be nothing: a sack that takes nothing, jobs that can all be on time. Regret relative to
    it would be 0/0, or a number as large as rounding is small. It is then counted in typical costs, `unit`:
    1 means that decisions cost one typical cost an instance more than they had to. The denominator depends
    on the instances alone, so that methods stay comparable, and is sum |V(c)| wherever the optima cost more
    than a typical cost each.

    Args:
        cost, optimum: (batch,) c'z of the decisions taken and V(c) of the optimal ones.
        unit: (batch,) `cost_unit` of each instance. Where it is not given, an optimum of nothing makes the
            regret the share of the cost that could have been saved: 1, or 0 where nothing was paid.

    Returns:
        a scalar, finite for finite arguments.
    """
    excess, scale = (cost - optimum).sum(), optimum.abs().sum()
    if unit is not None:
        scale = regret_scale(optimum, unit)
    else:
        paid = cost.abs().sum()
        scale = torch.where(scale <= _NOTHING * paid, paid, scale)
    return torch.where(scale > 0, excess / torch.where(scale > 0, scale, 1.0), 0.0)


def regret_scale(optimum: Tensor, unit: Tensor) -> Tensor:
    """max(sum |V(c)|, sum unit), what regrets are relative to; 0 only where all costs are 0."""
    return torch.maximum(optimum.abs().sum(), unit.to(optimum).sum())


def relative_gap(value: float, reference: float, costs: Tensor) -> float:
    """(value - reference) / max(|reference|, mean|c|) of one instance: its `normalized_regret`.

    Args:
        costs: (n,) that the value is a sum of.
    """
    scale = max(abs(reference), float(cost_unit(costs)))
    return (value - reference) / scale if scale > 0 else 0.0


def cost_unit(costs: Tensor) -> Tensor:
    """A typical cost of each instance, mean |c|; (..., n) -> (...)."""
    return costs.abs().mean(-1)
