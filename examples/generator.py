"""Features and the costs they explain: c = base (1 + B x + cube of it), the usual synthetic task."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def draw(base: np.ndarray, count: int = 64, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x, c for training and for test: x (count, 5) normal, c (count, P) around base (P,), always of its sign.

    A linear prediction of c is biased, so that it matters which errors are made.
    """
    rng = np.random.default_rng(seed)
    B = rng.binomial(1, 0.5, (len(base), 5)) / np.sqrt(5)
    x = rng.normal(size=(2 * count, 5))
    factor = 0.2 + ((x @ B.T + 2.0) / 2.0).clip(0.0) ** 3
    x, c = torch.from_numpy(x).float(), torch.from_numpy(base * factor).float()
    return x[:count], c[:count], x[count:], c[count:]
