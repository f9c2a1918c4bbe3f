"""Batches as one tensor, or as lists of vectors when instances differ in size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from diffcomb.layers import members_by_problem
from diffcomb.oracles import Limits
from diffcomb.problems import Problem

Batch = Tensor | Sequence[Tensor]


def as_rows(batch: Batch) -> Sequence[Tensor]:
    """A tensor as a batch of one block (so that it stays vectorised), a list as it is."""
    return [batch] if isinstance(batch, Tensor) else batch


def mean_of(losses: Iterable[Tensor]) -> Tensor:
    """Mean over all instances of all blocks."""
    return torch.cat([loss.reshape(-1) for loss in losses]).mean()


def blocks(
    layer: nn.Module, problems: Sequence[Problem] | None, *batches: Batch
) -> list[tuple[Problem, list[Tensor]]]:
    """Batches regrouped as one block of rows per distinct problem, so that each is solved in one call.

    Args:
        layer: its `problem` decides where `problems` is None.
        batches: (batch, n) tensors, or lists of (n_i,) vectors, all alike.
    """
    first = batches[0]
    if isinstance(first, Tensor) and problems is None and isinstance(layer.problem, Problem):
        for batch in batches:
            layer.problem.check_costs(torch.as_tensor(batch))
        return [(layer.problem, [torch.as_tensor(b).reshape(-1, layer.problem.num_costs) for b in batches])]
    members = members_by_problem(layer.problem, problems, len(first))  # type: ignore[arg-type]
    return [
        (problem, [problem.check_costs(torch.stack([batch[i] for i in rows])) for batch in batches])
        for problem, rows in members.items()
    ]


def oracle_of(layer: nn.Module) -> Limits:
    """The oracle and limits of a layer; the defaults where it has none."""
    settings = getattr(layer, "oracle", None)
    return settings if isinstance(settings, Limits) else Limits()
