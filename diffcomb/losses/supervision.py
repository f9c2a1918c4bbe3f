"""What a loss is given beside theta, checked and brought into the form of theta."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import InvalidCostsError
from diffcomb.layers import Costs, as_rows
from diffcomb.problems import Problem, ProblemCache

#: distinct decisions remembered a problem, as 64-bit numbers
_REMEMBERED = 2**16


#: in place of a width that is not known
ANY_WIDTH = -1


def matching(name: str, given: Any, theta: Costs, width: int | None = None) -> Costs:
    """Supervision in the form of theta: entry by entry of its shape, or with scenarios before the last.

    Args:
        width: of its vectors, where they are not as long as theta's: decisions under a cost map. `ANY_WIDTH`:
            not known.

    Raises:
        InvalidCostsError: another shape, not floating, or on another device.
    """
    if isinstance(theta, Tensor):
        if isinstance(given, Sequence) and given and all(isinstance(one, Tensor) for one in given):
            given = torch.stack(tuple(given)) if len({one.shape for one in given}) == 1 else given
        return _matching_entry(name, given, theta, width)
    if isinstance(given, str) or not isinstance(given, Sequence | Tensor | np.ndarray):
        raise InvalidCostsError(f"theta is a list of vectors, so {name} must be one, got {_kind(given)}.")
    if len(given) != len(theta):
        raise InvalidCostsError(
            f"{name} must have one vector for each of theta's {len(theta)}, got {len(given)}."
        )
    return [_matching_entry(name, one, vector, width) for one, vector in zip(given, theta, strict=True)]


def _matching_entry(name: str, given: Any, theta: Tensor, width: int | None) -> Tensor:
    if isinstance(given, np.ndarray):
        given = torch.from_numpy(given)
    if not isinstance(given, Tensor):
        raise InvalidCostsError(f"{name} must be a torch tensor like theta, got {_kind(given)}.")
    scenarios = given.ndim == theta.ndim + 1 and given.shape[-2] > 0
    *rows, n = theta.shape
    n = n if width is None else given.shape[-1] if width == ANY_WIDTH and given.ndim else width
    if tuple(given.shape) != (*rows, n) and not (
        scenarios and given.shape[:-2] == theta.shape[:-1] and given.shape[-1] == n
    ):
        allowed = ", ".join(map(str, (*rows, "scenarios", n)))
        raise InvalidCostsError(
            f"{name} must have shape {(*rows, n)}, or ({allowed}); got {tuple(given.shape)}."
        )
    if not given.dtype.is_floating_point:
        raise InvalidCostsError(f"{name} must be floating point, got {given.dtype}; call .double().")
    if given.device != theta.device:
        raise InvalidCostsError(
            f"{name} lies on {given.device} and theta on {theta.device}; move one of them."
        )
    return given


def require_finite(name: str, tensor: Tensor) -> None:
    """
    Raises:
        InvalidCostsError: naming the first entry that is NaN or infinite.
    """
    if not bool(torch.isfinite(tensor.detach()).all()):
        index = tuple((~torch.isfinite(tensor)).nonzero()[0].tolist())
        raise InvalidCostsError(f"{name} must be finite; entry {list(index)} is {tensor[index].item()}.")


class MembershipCheck:
    """Refuses decisions outside Z, once for each distinct decision of a problem.

    The decisions of a training set come back in every epoch, and whether a long vector is a tour takes
    longer than deciding one.
    """

    def __init__(self) -> None:
        self._members: ProblemCache[set[int]] = ProblemCache()

    def __call__(self, problem: Problem, z: Tensor) -> None:
        """
        Args:
            z: (..., n) floating.

        Raises:
            InvalidCostsError: a row that is not in Z.
        """
        rows = z.detach().reshape(-1, z.shape[-1])
        chosen = rows > 0.5
        seen, keys = self._members.get(problem, set), set[int]()
        if torch.equal(chosen.to(rows.dtype), rows):
            packed = np.packbits(chosen.cpu().numpy(), axis=1)
            keys = set(map(hash, packed.view(f"V{packed.shape[1]}").ravel().tolist()))
            if keys <= seen:
                return
        feasible = problem.is_feasible(rows)
        if not bool(feasible.all()):
            row = int((~feasible).nonzero()[0, 0])
            raise InvalidCostsError(
                f"Decisions must be feasible for {type(problem).__name__}; row {row} is not in Z"
                " (see problem.is_feasible). Give optimal decisions, as problem.solve returns them."
            )
        if len(seen) > _REMEMBERED:
            seen.clear()
        seen |= keys


def widest_dtype(*batches: Costs) -> torch.dtype:
    """What all their dtypes are promoted to."""
    dtypes = {tensor.dtype for batch in batches for tensor in as_rows(batch)}
    return dtypes.pop() if len(dtypes) == 1 else reduce(torch.promote_types, dtypes)


def working_dtype(*batches: Costs) -> torch.dtype:
    """The widest dtype of all, but float64 where that is below float32."""
    widest = widest_dtype(*batches)
    return widest if widest in (torch.float32, torch.float64) else torch.float64


def cast(batch: Costs, dtype: torch.dtype) -> Costs:
    """The same batch in another dtype."""
    return batch.to(dtype) if isinstance(batch, Tensor) else [vector.to(dtype) for vector in batch]


def _kind(given: object) -> str:
    return f"a list of {len(given)}" if isinstance(given, Sequence) else f"a {type(given).__name__}"
