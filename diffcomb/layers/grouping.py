"""A call's costs as one block of rows for each problem or structure, and its answers back in their place."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import InvalidCostsError
from diffcomb.problems import Problem

Costs = Tensor | Sequence[Tensor]


@dataclass(frozen=True)
class Block:
    """Rows that are decided in one call.

    Attributes:
        problems: one for all rows; or one a row, of one structure, where they differ in right-hand sides.
        theta: (rows, n).
        places: of the rows in the call; None: all of it, in order.
    """

    problems: tuple[Problem, ...]
    theta: Tensor
    places: tuple[int, ...] | None = None

    @property
    def problem(self) -> Problem:
        """The one of all rows, or the first of its structure."""
        return self.problems[0]


@dataclass(frozen=True)
class Grouping:
    """The blocks of one call.

    Attributes:
        form: "batch", "vector" or "list": what the call's costs were, and its answers become.
        count: vectors in the call.
    """

    blocks: tuple[Block, ...]
    form: str
    count: int

    def split(self, batch: Costs) -> list[Tensor]:
        """Something given with the costs and in their form, as (rows, ...) tensors, one a block."""
        if self.form == "vector":
            assert isinstance(batch, Tensor)
            return [batch[None]]
        return [_rows(batch, block.places) for block in self.blocks]

    def restore(self, answers: Sequence[Any]) -> Any:
        """Answers (rows, ...), one a block, or tuples of them, in the form of the call: `split` undone.

        A tuple of answers becomes a tuple of batches, vectors or lists.
        """
        if answers and isinstance(answers[0], tuple):
            return tuple(self.restore(part) for part in zip(*answers, strict=True))
        if self.form == "vector":
            return answers[0][0]
        if self.form == "batch" and self.blocks[0].places is None:
            return answers[0]
        vectors: list[Any] = [None] * self.count
        for block, answer in zip(self.blocks, answers, strict=True):
            # one by one: views of a tensor that is taken apart as a whole cannot be changed in place
            for row, place in enumerate(block.places or range(self.count)):
                vectors[place] = answer[row]
        return torch.stack(vectors) if self.form == "batch" else vectors


def group(
    problem: Problem | Sequence[Problem],
    theta: Costs,
    problems: Sequence[Problem] | None = None,
    *,
    by_structure: bool = False,
) -> Grouping:
    """Rows of the same problem as one block, in the order in which the problems appear.

    Args:
        problem: a layer's own: one, or as many as there are cost vectors.
        theta: (batch, n), or (n,) for one problem; a list of (n_i,) vectors.
        problems: one a vector, in place of the layer's own.
        by_structure: one block also for different problems of one `structure_key`.

    Raises:
        InvalidCostsError: no tensors, not one problem a vector, or what `Problem.check_costs` refuses.
    """
    if problems is None and not isinstance(problem, Problem):
        problems = problem
    form = form_of(theta)
    if problems is None:
        assert isinstance(problem, Problem)
        if form == "list":
            problems = [problem] * len(theta)
        else:
            rows = problem.check_costs(theta).reshape(-1, problem.num_costs)  # type: ignore[arg-type]
            return Grouping((Block((problem,), rows),), form, len(rows))
    if not isinstance(problems, Sequence):
        raise InvalidCostsError(f"{problems!r} is no problem and no list of them; give an instance.")
    if form == "vector" or len(problems) != len(theta):
        raise InvalidCostsError(
            f"A layer over several problems takes a list of as many cost vectors; got {len(problems)}"
            f" problems and {_describe(theta)}."
        )
    blocks = [_block(places, problems, theta) for places in _members(problems, by_structure)]
    if form == "batch" and not blocks:
        raise InvalidCostsError("An empty batch needs a problem; give an empty list instead.")
    return Grouping(tuple(blocks), form, len(theta))


def form_of(theta: object) -> str:
    """ "batch" (batch, n), "vector" (n,) or "list".

    Raises:
        InvalidCostsError: neither a tensor of one or two dimensions nor a list of vectors.
    """
    if isinstance(theta, Tensor):
        if theta.ndim not in (1, 2):
            raise InvalidCostsError(f"Costs must have shape (batch, n) or (n,), got {tuple(theta.shape)}.")
        return "vector" if theta.ndim == 1 else "batch"
    if not isinstance(theta, Sequence) or isinstance(theta, str):
        kind = "a NumPy array" if isinstance(theta, np.ndarray) else f"a {type(theta).__name__}"
        raise InvalidCostsError(
            f"Costs must be a torch tensor or a list of them, got {kind}; torch.as_tensor converts."
        )
    for place, vector in enumerate(theta):
        if not isinstance(vector, Tensor) or vector.ndim != 1:
            found = tuple(vector.shape) if isinstance(vector, Tensor) else f"a {type(vector).__name__}"
            raise InvalidCostsError(
                f"A list of costs holds one torch tensor (n,) a problem; entry {place} is {found}."
            )
    return "list"


def as_rows(batch: Costs) -> Sequence[Tensor]:
    """A tensor as a batch of one block, so that it stays vectorised; a list as it is."""
    return [batch] if isinstance(batch, Tensor) else batch


def _members(problems: Sequence[Problem], by_structure: bool) -> list[list[int]]:
    """Places of each distinct problem or structure."""
    members: dict[Hashable, list[int]] = {}
    keys: dict[int, Hashable] = {}
    for place, one in enumerate(problems):
        if id(one) not in keys:
            if not isinstance(one, Problem):
                raise InvalidCostsError(
                    f"Entry {place} of the problems is {one!r}, which is no problem; give an instance."
                )
            keys[id(one)] = one.structure_key if by_structure else id(one)
        members.setdefault(keys[id(one)], []).append(place)
    return list(members.values())


def _block(places: list[int], problems: Sequence[Problem], theta: Costs) -> Block:
    first = problems[places[0]]
    for place in places:
        if theta[place].shape[-1] != first.num_costs:
            raise InvalidCostsError(
                f"{type(first).__name__} needs {first.num_costs} costs, cost vector {place} has"
                f" {theta[place].shape[-1]}."
            )
    whole = len(places) == len(theta)
    rows = first.check_costs(_rows(theta, None if whole else tuple(places)))
    same = all(problems[place] is first for place in places)
    owners = (first,) if same else tuple(problems[place] for place in places)
    return Block(owners, rows, None if whole else tuple(places))


def _rows(batch: Costs, places: tuple[int, ...] | None) -> Tensor:
    """(rows, ...)."""
    if isinstance(batch, Tensor):
        return batch if places is None else batch[list(places)]
    chosen = batch if places is None else [batch[place] for place in places]
    if len({(vector.device, vector.shape) for vector in chosen}) > 1:
        raise InvalidCostsError("Vectors of one problem must have one shape and lie on one device.")
    return torch.stack(tuple(chosen))


def _describe(theta: Costs) -> str:
    return f"costs of shape {tuple(theta.shape)}" if isinstance(theta, Tensor) else f"{len(theta)} vectors"
