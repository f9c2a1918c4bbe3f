"""Several cost vectors an instance that may all occur: (batch, scenarios, n)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from diffcomb.errors import InvalidCostsError
from diffcomb.layers import Costs
from diffcomb.problems import Problem


def one_row_a_scenario(
    batches: Sequence[Costs], problems: Sequence[Problem] | None
) -> tuple[list[Costs], Sequence[Problem] | None]:
    """Theta, its supervision and its problems with every instance repeated for each of its scenarios.

    As given where nothing has scenarios.

    Raises:
        InvalidCostsError: instances, or costs and decisions, that differ in their number of scenarios.
    """
    count = _count(batches)
    if count is None:
        return list(batches), problems
    repeated = None if problems is None else [one for one in problems for _ in range(count)]
    return [_repeat(batch, count) for batch in batches], repeated


def mean_cost(problem: Problem | None, decision: Tensor, costs: Tensor) -> Tensor:
    """What decisions (rows, n) cost under (rows, n) or (rows, scenarios, n), on average -> (rows,).

    Without a problem the cost is linear.
    """
    if costs.ndim > decision.ndim:
        return mean_cost(problem, decision.unsqueeze(-2).expand_as(costs), costs).mean(-1)
    return (costs * decision).sum(-1) if problem is None else problem.cost_of(decision, costs)


def _count(batches: Sequence[Costs]) -> int | None:
    """Scenarios of an instance; None without any."""
    found: set[int] = set()
    for batch in batches:
        if isinstance(batch, Tensor):
            sizes = {batch.shape[1] if batch.ndim == 3 else None}
        else:
            sizes = {vector.shape[0] if vector.ndim == 2 else None for vector in batch}
        if len(sizes) > 1:
            raise InvalidCostsError(
                "All instances of a list need equally many scenarios; call the loss for each."
            )
        found |= {size for size in sizes if size is not None}
    if len(found) > 1:
        raise InvalidCostsError(f"Costs and decisions differ in their number of scenarios: {sorted(found)}.")
    return found.pop() if found else None


def _repeat(batch: Costs, count: int) -> Costs:
    if isinstance(batch, Tensor):
        return batch.flatten(0, 1) if batch.ndim == 3 else batch.repeat_interleave(count, 0)
    return [row for vector in batch for row in (vector if vector.ndim == 2 else [vector] * count)]
