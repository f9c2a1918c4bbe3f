"""Regret of decisions."""

from __future__ import annotations

from torch import Tensor


def normalized_regret(cost: Tensor, optimum: Tensor) -> Tensor:
    """sum (c'z - V(c)) / sum |V(c)| over the batch: 0 is perfect, 0.1 costs 10 % too much.

    cost, optimum: (batch,) c'z of the decisions taken and V(c) of the optimal ones.
    """
    return (cost - optimum).sum() / optimum.abs().sum()
