"""Batches as one tensor, or as lists of vectors when instances differ in size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

Batch = Tensor | Sequence[Tensor]


def as_rows(batch: Batch) -> Sequence[Tensor]:
    """A tensor as a batch of one block (so that it stays vectorised), a list as it is."""
    return [batch] if isinstance(batch, Tensor) else batch


def mean_of(losses: Iterable[Tensor]) -> Tensor:
    """Mean over all instances of all blocks."""
    return torch.cat([loss.reshape(-1) for loss in losses]).mean()
