"""Costs and incoming gradients of the golden cases: drawn when recording, read back when comparing.

So a generator of costs may change without touching what the file says of solvers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import torch
from torch import Tensor

from tests.registry import seeded


class Inputs:
    """inputs(name, draw) -> float64 tensor; `drawn` collects what was not known."""

    def __init__(self, known: dict[str, Tensor]) -> None:
        self.known, self.drawn = known, dict[str, Tensor]()

    def __call__(self, name: str, draw: Callable[[torch.Generator], Tensor]) -> Tensor:
        if name in self.known:
            return self.known[name]
        if name not in self.drawn:
            # a seed of its own for every name, the same in every process
            self.drawn[name] = draw(seeded(zlib.crc32(name.encode())))
        return self.drawn[name]

    def gradient(self, name: str, like: Tensor) -> Tensor:
        """A fixed random g = d loss / d decision."""
        return self(name, lambda generator: torch.randn(like.shape, generator=generator, dtype=torch.float64))
