"""Noise of the relaxed distributions."""

from __future__ import annotations

import torch
from torch import Tensor


def gumbel_like(x: Tensor, generator: torch.Generator) -> Tensor:
    """-log(-log U), U uniform, clipped to [1e-9, 1 - 1e-7]: shape, dtype and device of x."""
    uniform = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return -(-uniform.clamp(1e-9, 1 - 1e-7).log()).log()


def logistic_like(x: Tensor, generator: torch.Generator) -> Tensor:
    """Logistic(0, 1), the difference of two Gumbels."""
    uniform = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return torch.logit(uniform.clamp(1e-9, 1 - 1e-7))
