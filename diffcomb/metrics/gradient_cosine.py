"""Agreement of two gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from diffcomb.layers import length


def gradient_cosine(gradient: Tensor, reference: Tensor) -> Tensor:
    """Cosine of the angle between gradients, (batch, n) and (batch, n) -> (batch,).

    Never NaN, of any size: 0 where exactly one of the two is zero, 1 where both are.
    """
    norms = [length(v) for v in (gradient, reference)]
    a, b = (
        v / torch.where(norm > 0, norm, 1.0) for v, norm in zip((gradient, reference), norms, strict=True)
    )
    both_zero = (norms[0] == 0) & (norms[1] == 0)
    return torch.where(both_zero[..., 0], 1.0, (a * b).sum(-1))
