"""One instance in one backend: solve, round, check, add what was missing, solve again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffcomb.errors import SolveFailedError
from diffcomb.oracles.batch import Solved
from diffcomb.oracles.interrupt import Watch
from diffcomb.oracles.mip.kept import KeptModel
from diffcomb.oracles.oracle import Decidable
from diffcomb.oracles.result import Status
from diffcomb.program import Rows

#: how far from a whole number a linear program's vertex may be before its claim to be whole is refused
_WHOLE = 1e-6


@dataclass
class Search:
    """min cost'x of one instance.

    Each round's optimum is a lower bound; the first one that is in Z is optimal. A point that is not gets
    what cuts it off: the digits of a row that its tolerance let through, rows that its problem knows of.

    Args:
        name: of the backend, for messages.
        problem: whose costs are the first of x; further columns belong to this solve alone.
        kept: model of the program.
    """

    name: str
    problem: Decidable
    kept: KeptModel
    watch: Watch

    def minimize(self, cost: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> Solved:
        """The best x (columns,) within lower <= x <= upper, its bound, and what is proven to tolerances.

        Raises:
            SolveFailedError: `lazy_rows` gave rows that cut nothing off, or the backend cannot tell a
                point from one that satisfies the rows.
        """
        bound = -np.inf
        while True:
            outcome = self.kept.solve(cost, lower, upper, self.watch)
            if outcome.status is Status.INFEASIBLE:
                return Solved(None, np.inf, Status.INFEASIBLE)
            bound = max(bound, outcome.bound)
            if outcome.decision is None:
                return Solved(None, bound, Status.UNKNOWN)
            x = self._rounded(outcome.decision, lower, upper)
            is_proven, is_over = outcome.status is Status.OPTIMAL, self.watch.is_over
            if self._is_fractional(outcome.decision):
                if not is_proven or is_over:
                    return Solved(None, bound, Status.UNKNOWN)
                self.kept.is_linear = False
                self.kept.forget()
                continue
            broken = self.kept.program.membership.violated(x)
            if len(broken):
                if not is_proven or is_over:
                    return Solved(None, bound, Status.UNKNOWN)
                better = self._exclude(x, broken, cost, lower, upper)
                if better is None:
                    continue
                x = better
            z = x[: self.problem.num_vars]
            missing = self.problem.lazy_rows(z)
            if not len(missing):
                return Solved(x, bound, outcome.status)
            if not is_proven or is_over:
                return self._repaired(z, cost, bound)
            self._add(missing, z)

    def _rounded(self, x: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
        whole = self.kept.program.integer
        return np.clip(np.where(whole, np.round(x), x), lower, upper) + 0.0

    def _is_fractional(self, x: np.ndarray) -> bool:
        whole = self.kept.program.integer
        return self.kept.is_linear and bool((np.abs(x - np.round(x))[whole] > _WHOLE).any())

    def _exclude(
        self, x: np.ndarray, broken: np.ndarray, cost: np.ndarray, lower: np.ndarray, upper: np.ndarray
    ) -> np.ndarray | None:
        """Cut off a rounded optimum that breaks rows; or its whole part with a better continuous one."""
        whole = self.kept.program.integer
        matrix = self.kept.program.membership.matrix
        mixed = matrix[broken] @ np.where(whole, 0.0, 1.0) != 0
        mixed |= abs(matrix[broken]) @ np.where(whole, 0.0, 1.0) > 0
        if not mixed.all():
            if not self.kept.split_rows(broken[~mixed]):
                raise self._cannot_tell()
            return None
        fixed = np.where(whole, x, lower), np.where(whole, x, upper)
        again = self.kept.solve(cost, *fixed, self.watch)
        if again.decision is not None:
            polished = self._rounded(again.decision, *fixed)
            if not len(self.kept.program.membership.violated(polished)):
                return polished
        self.kept.add(self._elsewhere(x))
        return None

    def _elsewhere(self, x: np.ndarray) -> Rows:
        """sum over whole columns of |x'_j - x_j| >= 1, linear where each x_j is at a bound."""
        kept = self.kept
        columns = np.flatnonzero(kept.program.integer & (kept.lower < kept.upper))
        at_lower = x[columns] == kept.lower[columns]
        if not (at_lower | (x[columns] == kept.upper[columns])).all():
            raise self._cannot_tell()
        signs = np.where(at_lower, -1.0, 1.0)
        return Rows.from_lists([columns], [signs], [float(signs @ x[columns]) - 1.0], len(x))

    def _cannot_tell(self) -> SolveFailedError:
        return SolveFailedError(
            f"{self.name} takes points that break a row for ones that satisfy it: coefficients of very"
            " different size; scale the variables, or lower a constant that switches a row off."
        )

    def _add(self, rows: Rows, z: np.ndarray) -> None:
        over = rows.G @ z - rows.h
        if not (over > 1e-9 * (1.0 + np.abs(rows.h))).any():
            raise SolveFailedError(
                f"{type(self.problem).__name__}.lazy_rows gave rows that the point asked about satisfies."
            )
        self.kept.add(rows)

    def _repaired(self, z: np.ndarray, cost: np.ndarray, bound: float) -> Solved:
        if len(z) < self.kept.program.num_vars:
            return Solved(None, bound, Status.UNKNOWN)
        repaired = self.problem.repair(z, cost)
        return Solved(repaired, bound, Status.UNKNOWN if repaired is None else Status.FEASIBLE)
