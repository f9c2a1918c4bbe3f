"""A user's function as an oracle: its answers checked and remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import DecisionError
from diffcomb.oracles import Limits, OracleAnswer, Status

#: how much better, relative to its terms, an earlier decision may be before the function is wrong
_ROUNDING = 1e-9
#: different decisions that new answers are compared with
_REMEMBERED = 256


class _Decided(Protocol):
    """What this oracle reads of a `BlackBox`."""

    num_costs: int

    @property
    def has_features(self) -> bool: ...

    def features(self, z: Tensor) -> Tensor: ...

    def known(self, z: Tensor) -> Tensor: ...


class DecideOracle:
    """Calls decide for a batch, or row by row; refuses what is no decision, or a worse one than it knows.

    Args:
        decide: (batch, P) -> (batch, n), or (P,) -> (n,).

    Attributes:
        width: n, from the first call on.
    """

    name = "decide"

    def __init__(self, decide: Callable[[np.ndarray], Any]) -> None:
        self._decide = decide
        self._by_row: bool | None = None
        self.width: int | None = None
        #: (g(y), h(y)) of earlier answers, by their bytes, oldest first
        self._seen: dict[bytes, np.ndarray] = {}

    def supports(self, problem: Any) -> bool:
        return self in problem.oracles

    def solve(self, problem: _Decided, costs: np.ndarray, limits: Limits) -> OracleAnswer:
        """Decisions with status "trusted" and no bound.

        Raises:
            DecisionError: a wrong shape, a NaN, an exception of the function, an answer worse than an
                earlier one.
        """
        if not len(costs):
            return OracleAnswer(np.zeros((0, self.width or problem.num_costs)), np.zeros(0), ())
        if self._by_row is None:
            self._by_row = self._takes_rows(problem, costs)
        decisions = self._each(costs) if self._by_row else self._together(costs)
        self._check(problem, decisions)
        self.width = decisions.shape[1]
        self._compare(problem, costs, decisions)
        return OracleAnswer(decisions, np.full(len(costs), -np.inf), (Status.TRUSTED,) * len(costs))

    # -- calls ------------------------------------------------------------------------------------
    def _takes_rows(self, problem: _Decided, costs: np.ndarray) -> bool:
        """Whether decide is a function of one row: a batch fails, or changes what the first row gets."""
        try:
            together, alone = self._together(costs), self._together(costs[:1])
            self._check(problem, together)
            first = _parts(problem, np.stack([together[0], alone[0]])) @ np.append(costs[0], 1.0)
            consistent = bool(np.isclose(first[0], first[1], rtol=1e-9, atol=1e-12, equal_nan=True))
        except DecisionError as error:
            failure = error
            consistent = False
        else:
            failure = DecisionError("decide answers a row differently alone and in a batch.")
        if consistent:
            return False
        try:
            self._each(costs[:1])
        except DecisionError:
            raise failure from failure.__cause__
        return True

    def _together(self, costs: np.ndarray) -> np.ndarray:
        found = self._called(costs)
        if found.ndim == 1 and len(costs) == 1:
            return found[None]
        if found.ndim != 2 or len(found) != len(costs):
            raise DecisionError(
                f"decide must return shape (batch, n) for costs of shape {costs.shape}, got {found.shape}."
            )
        return found

    def _each(self, costs: np.ndarray) -> np.ndarray:
        rows = [self._called(row) for row in costs]
        if any(row.ndim != 1 or len(row) != len(rows[0]) for row in rows):
            raise DecisionError("decide must return one vector, of one length, for each row of costs.")
        return np.stack(rows)

    def _called(self, costs: np.ndarray) -> np.ndarray:
        """On a copy: what the function does to its costs is its own affair."""
        try:
            return np.asarray(self._decide(costs.copy()), dtype=np.float64)
        except Exception as error:
            raise DecisionError(f"decide failed with {type(error).__name__}: {error}") from error

    # -- answers ----------------------------------------------------------------------------------
    def _check(self, problem: _Decided, decisions: np.ndarray) -> None:
        expected = self.width or (None if problem.has_features else problem.num_costs)
        if expected is not None and decisions.shape[1] != expected:
            hint = "" if self.width else "; give features where the two differ"
            raise DecisionError(
                f"decide returned decisions of length {decisions.shape[1]}, expected {expected}{hint}."
            )
        wrong = np.argwhere(~np.isfinite(decisions))
        if len(wrong):
            row, entry = wrong[0]
            raise DecisionError(f"decide returned {decisions[row, entry]} in row {row}, entry {entry}.")

    def _compare(self, problem: _Decided, costs: np.ndarray, decisions: np.ndarray) -> None:
        """Every answer with earlier ones, at its own costs."""
        mine = _parts(problem, decisions)
        self._seen |= {row.tobytes(): row for row in mine}
        pool = np.stack(list(self._seen.values()))
        weights = np.concatenate([costs, np.ones((len(costs), 1))], axis=1)
        values, others = (weights * mine).sum(1), weights @ pool.T
        best = others.argmin(axis=1)
        least = others[np.arange(len(costs)), best]
        size = (np.abs(weights) * np.maximum(np.abs(mine), np.abs(pool[best]))).sum(1)
        worse = np.flatnonzero(values > least + _ROUNDING * size)
        for key in list(self._seen)[:-_REMEMBERED]:
            del self._seen[key]
        if len(worse):
            k = worse[0]
            raise DecisionError(
                f"decide returned a decision of value {values[k]:.12g} for row {k}, but another one it"
                f" returned has {least[k]:.12g} for the same costs; does it minimise?"
            )


def _parts(problem: _Decided, decisions: np.ndarray) -> np.ndarray:
    """(batch, P + 1): g(y) and h(y), so that values are products with (theta, 1)."""
    z = torch.from_numpy(decisions)
    with torch.no_grad():
        return torch.cat([problem.features(z), problem.known(z)[:, None]], dim=1).numpy()
