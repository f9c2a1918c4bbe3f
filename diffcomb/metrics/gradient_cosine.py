"""Agreement of two gradients."""

from __future__ import annotations

import torch
from torch import Tensor


def gradient_cosine(gradient: Tensor, reference: Tensor) -> Tensor:
    """Cosine of the angle between gradients, (batch, n) and (batch, n) -> (batch,).

    Never NaN: 0 where exactly one of the two is zero, 1 where both are.
    """
    dot = (gradient * reference).sum(-1)
    norms = torch.linalg.vector_norm(gradient, dim=-1) * torch.linalg.vector_norm(reference, dim=-1)
    both_zero = (gradient == 0).all(-1) & (reference == 0).all(-1)
    cosine = torch.where(norms > 0, dot / norms.clamp_min(torch.finfo(dot.dtype).tiny), 0.0)
    return torch.where(both_zero, 1.0, cosine)
