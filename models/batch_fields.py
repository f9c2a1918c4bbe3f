"""Fields of a PyG batch as losses and layers take them: blocks, or lists of different problems."""

from __future__ import annotations

from torch import Tensor
from torch_geometric.data import Batch

from diffcomb.problems import Problem


def own_problems(batch: Batch) -> tuple[list[Problem], ...]:
    """(problem of each graph,), the last argument of layers and losses; () where the layer knows its one."""
    return (batch.problem,) if "problem" in batch else ()


def instances(batch: Batch, field: str) -> Tensor | list[Tensor]:
    """(batch, n) of one problem, or a list of (n_i,) vectors of the batch's own problems."""
    if "problem" in batch:
        return list(batch[field].split([problem.num_costs for problem in batch.problem]))
    block: Tensor = batch[field]
    return block
