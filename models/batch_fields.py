"""Fields of a batch as losses and layers take them: blocks, or lists of different problems.

A batch is a PyG Batch, or any mapping from names to tensors whose first dimension counts instances.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from diffcomb.problems import Problem


def own_problems(batch: Any) -> tuple[list[Problem], ...]:
    """(problem of each graph,), the last argument of layers and losses; () where the layer knows its one."""
    return (batch["problem"],) if "problem" in batch else ()


def instances(batch: Any, field: str) -> Tensor | list[Tensor]:
    """(batch, n) of one problem, or a list of (n_i,) vectors of the batch's own problems."""
    if "problem" in batch:
        return list(batch[field].split([problem.num_costs for problem in batch["problem"]]))
    block: Tensor = batch[field]
    return block


def in_precision(batch: Any, dtype: torch.dtype) -> Any:
    """The batch with its floating-point fields as `dtype`."""

    def cast(field: Any) -> Any:
        floating = isinstance(field, Tensor) and field.is_floating_point()
        return field.to(dtype) if floating else field

    return (
        {name: cast(field) for name, field in batch.items()}
        if isinstance(batch, Mapping)
        else batch.apply(cast)
    )


def batch_size(batch: Any) -> int:
    """Instances (hours, for trips) in a batch."""
    return len(next(iter(batch.values()))) if isinstance(batch, Mapping) else int(batch.num_graphs)
