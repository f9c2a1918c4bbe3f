"""Models that stay: built once a structure and thread, their costs, sides and bounds changed in place."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import frexp
from typing import Any

import numpy as np

from diffcomb.oracles.interrupt import Watch
from diffcomb.oracles.mip.form import Form
from diffcomb.oracles.mip.model import MipModel, MipOutcome, ModelFactory, Setup
from diffcomb.oracles.result import Status
from diffcomb.program import Program, Rows
from diffcomb.program.digits import LARGEST_SUM, in_digits

#: models a lane keeps, the least recently used goes
_MODELS = 16
#: rows of the lazy kind a model keeps beyond four a column
_LAZY_ROWS = 1000
#: whole numbers of a row from which its digits are split at once, not first when a solver has erred
_WIDE = 2.0**36


class KeptModel:
    """A model of one program in one backend, and what has been learnt about it.

    Args:
        program: whose structure the model has; it is held, so that its identity stays its own.
        build: the backend.
        store: of the lane the model lives in.
        whole_rows: the backend needs all rows in whole numbers, with sums below 2^30.
    """

    def __init__(
        self, program: Program, build: ModelFactory, seed: int, store: dict[str, Any], *, whole_rows: bool
    ) -> None:
        self._build, self._seed, self._store, self._whole_rows = build, seed, store, whole_rows
        self.program = program
        self.lower = np.where(program.integer, np.ceil(program.lower - 1e-9), program.lower)
        self.upper = np.where(program.integer, np.floor(program.upper + 1e-9), program.upper)
        self.is_linear = program.integral and not program.is_lazy
        self.split: set[int] = set()
        self._model: MipModel | None = None
        self._lazy: list[Rows] = []

    @property
    def num_lazy(self) -> int:
        return sum(len(rows) for rows in self._lazy)

    @property
    def is_worth_keeping(self) -> bool:
        return self.num_lazy <= 4 * self.program.num_vars + _LAZY_ROWS

    #: of the model as it stands
    _bounds: tuple[np.ndarray, np.ndarray]

    def of(self, program: Program) -> KeptModel:
        """A model of another program, whose first columns satisfy the same lazy rows, for one instance."""
        other = KeptModel(program, self._build, self._seed, self._store, whole_rows=self._whole_rows)
        other._lazy = list(self._lazy)
        other.is_linear = False
        return other

    def narrowed(self, lower: np.ndarray, upper: np.ndarray) -> KeptModel:
        """A model within closer bounds, which continuous columns are scaled by, for one instance."""
        return self.of(replace(self.program, lower=lower, upper=upper))

    def take(self, program: Program) -> None:
        """The same structure with the right-hand sides of `program`."""
        if np.array_equal(program.b, self.program.b) and np.array_equal(program.h, self.program.h):
            return
        self.program = replace(self.program, b=program.b, h=program.h)
        # rows found for other sides need not be valid, and carries have ranges that depend on them
        if self._model is None or self.split or self._lazy:
            self._lazy = []
            self._model = None
            return
        sides = self._form.sides(program.b, program.h)
        if sides is None:
            self._model = None
        else:
            self._model.set_sides(*sides)

    def forget(self) -> None:
        """Build anew at the next solve."""
        self._model = None

    def split_rows(self, rows: np.ndarray) -> bool:
        """Write these rows in digits from now on; False: they are already."""
        further = set(rows.tolist()) - self.split
        self.split |= further
        self.forget()
        return bool(further)

    def add(self, rows: Rows) -> None:
        """Valid rows found on the way."""
        self._lazy.append(rows)
        if self._model is not None:
            self._model.add_rows(*self._form.further(rows))

    def solve(self, cost: np.ndarray, lower: np.ndarray, upper: np.ndarray, watch: Watch) -> MipOutcome:
        """min cost'x, cost (n,) of any size, over the program within lower <= x <= upper (n,)."""
        if (lower > upper).any():
            return MipOutcome(None, np.inf, Status.INFEASIBLE)
        model = self._model or self._built(watch)
        if model is None:
            return MipOutcome(None, np.inf, Status.INFEASIBLE)
        form = self._form
        if lower is not self._bounds[0] or upper is not self._bounds[1]:
            self._bounds = lower, upper
            model.set_bounds(
                np.concatenate([lower / form.columns[: len(lower)], form.lower[len(lower) :]]),
                np.concatenate([upper / form.columns[: len(upper)], form.upper[len(upper) :]]),
            )
        costs = form.costs(cost)
        scale = _power_above(float(np.abs(costs).max(initial=0.0)))
        outcome = model.solve(costs / scale, watch)
        y = outcome.decision
        x = None if y is None else (y * form.columns)[: len(cost)]
        return MipOutcome(x, outcome.bound * scale, outcome.status)

    def _built(self, watch: Watch) -> MipModel | None:
        known = self.program.membership
        whole = known.units > 0
        if self._whole_rows:
            self.split |= set(np.flatnonzero(~whole | (self._sums() > LARGEST_SUM)).tolist())
        else:
            self.split |= set(np.flatnonzero(whole & (self._largest() > _WIDE)).tolist())
        program = replace(self.program, lower=self.lower, upper=self.upper)
        if self.split:
            program = in_digits(program, np.array(sorted(self.split)))
        self._form = Form.of(program, is_linear=self.is_linear)
        self._bounds = self.lower, self.upper
        sides = self._form.sides(program.b, program.h)
        if sides is None:
            return None
        self._model = self._build(Setup(self._form, *sides, self._seed, self._store, watch))
        for rows in self._lazy:
            self._model.add_rows(*self._form.further(rows))
        return self._model

    def _largest(self) -> np.ndarray:
        """Largest entry of each row, in its unit."""
        M, units = self.program.membership.matrix, self.program.membership.units
        top = np.asarray(abs(M).max(axis=1).todense()).reshape(-1) if M.nnz else np.zeros(M.shape[0])
        return top / np.where(units > 0, units, 1.0)

    def _sums(self) -> np.ndarray:
        """Largest sum of the terms of each row, in its unit, and of its right-hand side."""
        known = self.program.membership
        reach = np.maximum(np.abs(self.lower), np.abs(self.upper))
        return (abs(known.matrix) @ reach + np.abs(known.rhs)) / np.where(known.units > 0, known.units, 1.0)


def _power_above(size: float) -> float:
    """A power of two that is above size, 1 for 0."""
    return float(2.0 ** frexp(size)[1])


class Lane:
    """What one solve at a time may use: models by backend, structure and seed, and a store for backends."""

    def __init__(self) -> None:
        self.models: OrderedDict[Hashable, KeptModel] = OrderedDict()
        self.store: dict[str, Any] = {}

    def model(self, key: Hashable, program: Program, build: Callable[[], KeptModel]) -> KeptModel:
        kept = self.models.get(key)
        if kept is None:
            kept = self.models[key] = build()
            while len(self.models) > _MODELS:
                self.models.popitem(last=False)
        else:
            self.models.move_to_end(key)
            kept.take(program)
        return kept


class _Lanes:
    """Lanes not in use. As many exist as solves ever ran side by side, whatever threads come and go."""

    def __init__(self) -> None:
        self.idle: list[Lane] = []
        self.lock = threading.Lock()


_lanes = _Lanes()
_of_parents: list[_Lanes] = []


def _after_fork() -> None:
    # solvers of the parent are neither used nor freed here: their threads and licences are not ours
    global _lanes
    _of_parents.append(_lanes)
    _lanes = _Lanes()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def lane() -> Iterator[Lane]:
    """A lane for this solve alone; the last one given back is the first to be taken."""
    lanes = _lanes
    with lanes.lock:
        own = lanes.idle.pop() if lanes.idle else Lane()
    try:
        yield own
    finally:
        with lanes.lock:
            lanes.idle.append(own)
