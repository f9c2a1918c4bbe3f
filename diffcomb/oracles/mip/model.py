"""What a mixed-integer backend is to the driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from diffcomb.oracles.interrupt import Watch
from diffcomb.oracles.mip.form import Form
from diffcomb.oracles.result import Status


class OutOfTime(Exception):
    """The time limit passed while a model was being built."""


def in_time(count: int, watch: Watch | None) -> Iterator[int]:
    """0, 1, ..., count - 1, for rows that are written one by one, or `OutOfTime` on the way."""
    for k in range(count):
        if watch is not None and k % 256 == 0 and watch.is_over:
            raise OutOfTime
        yield k


@dataclass(frozen=True)
class MipOutcome:
    """y (columns,) or None, lower bound, and whether the backend proved it optimal to its tolerances."""

    decision: np.ndarray | None
    bound: float
    status: Status


class MipModel(Protocol):
    """min cost'y over the rows and bounds of a `Form`, in one backend, built once and changed in place.

    Every `solve` starts anew, so that its answer depends on the model alone, unless the optimum is unique.
    """

    def set_sides(self, low: np.ndarray, up: np.ndarray) -> None:
        """Right-hand sides of the form's rows."""
        ...

    def set_bounds(self, lower: np.ndarray, upper: np.ndarray) -> None: ...

    def add_rows(self, matrix: sparse.csr_array, up: np.ndarray, steps: np.ndarray) -> None:
        """matrix y <= up, to stay."""
        ...

    def solve(self, cost: np.ndarray, watch: Watch) -> MipOutcome:
        """cost (columns,), largest entry about 1."""
        ...


@dataclass(frozen=True)
class Setup:
    """What a model is built from: the form, the sides of its rows, a seed; `watch` says when time is up.

    store: shared by models that are never in use at the same time (a Gurobi environment, say).
    """

    form: Form
    low: np.ndarray
    up: np.ndarray
    seed: int
    store: dict[str, Any]
    watch: Watch


ModelFactory = Callable[[Setup], MipModel]
