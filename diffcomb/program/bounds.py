"""Finite bounds for variables that came without, from the rows they appear in."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
from scipy import sparse

from diffcomb.errors import UnboundedCostWarning
from diffcomb.program.lp_model import highs_model

#: passes over the rows that only tighten bounds which the rows gave
_PASSES = 10


@dataclass(frozen=True, eq=False)
class Box:
    """Bounds of n variables, infinite where nothing is known.

    Args:
        assumed: (n,) +1 where the upper bound holds for optima of a cost that is not negative alone, -1
            where the lower one holds for a cost that is not positive; 0 elsewhere.
        empty: no point satisfies the rows.
    """

    lower: np.ndarray
    upper: np.ndarray
    assumed: np.ndarray
    empty: bool = False

    @property
    def is_finite(self) -> bool:
        return bool(np.isfinite(self.lower).all() and np.isfinite(self.upper).all())


def finite_box(
    rows: Inequalities,
    lower: np.ndarray,
    upper: np.ndarray,
    integer: np.ndarray,
    cost_sign: np.ndarray,
    by_cost: np.ndarray,
) -> Box:
    """The same box with its infinite sides filled in where the rows imply a bound; finite sides stay.

    Three ways, in turn until none helps: activities of single rows (interval propagation); variables
    that rows only push one way, which no optimum moves farther than the strictest row asks (an epigraph
    variable, an amount bought to cover a demand); a linear program for what several rows imply together.

    Args:
        cost_sign: (n,) sign of each cost to minimise, NaN where it is predicted: then the sign that has an
            optimum is taken, and `Box.assumed` says so.
        by_cost: (n,) bool, False where the objective is not linear in a variable.

    Returns:
        A box that may still be infinite where nothing bounds a variable, or be known to be empty.
    """
    given = (np.isfinite(lower), np.isfinite(upper))
    box = Box(lower.copy(), upper.copy(), np.zeros(len(lower)))
    solved = False
    while not box.is_finite:
        before = int(np.isinf(box.lower).sum() + np.isinf(box.upper).sum())
        box = _propagated(rows, box, given, integer)
        box = _by_cost(rows, box, integer, cost_sign, by_cost)
        if box.is_finite:
            break
        if before == int(np.isinf(box.lower).sum() + np.isinf(box.upper).sum()):
            if solved:
                break
            box, solved = _by_linear_program(rows, box, integer), True
            if box.empty:
                break
    return box


def warn_of_signs(costs: np.ndarray, assumed: np.ndarray, names: Sequence[str]) -> None:
    """Warn where a bound serves the optimum of costs of one sign, `Box.assumed`, and a cost has the other.

    Args:
        costs: (batch, n).
    """
    if not assumed.any():
        return
    wrong = np.flatnonzero((costs * assumed < 0).any(axis=0))
    if len(wrong):
        side = "upper" if assumed[wrong[0]] > 0 else "lower"
        warnings.warn(
            f"The cost of {names[wrong[0]]} has the sign at which the model is unbounded; the {side} bound"
            " taken from the rows decides. Predict the other sign, or give it a bound.",
            UnboundedCostWarning,
            stacklevel=5,
        )


@dataclass(frozen=True, eq=False)
class Inequalities:
    """G x <= h entry by entry; an equation is two of them."""

    G: sparse.csr_array
    h: np.ndarray
    row: np.ndarray
    column: np.ndarray
    value: np.ndarray

    @staticmethod
    def of(A: sparse.csr_array, b: np.ndarray, G: sparse.csr_array, h: np.ndarray) -> Inequalities:
        all_rows = sparse.csr_array(sparse.vstack([G, A, -A], format="csr"))
        all_rows.eliminate_zeros()
        entries = sparse.coo_array(all_rows)
        return Inequalities(
            all_rows, np.concatenate([h, b, -b]), entries.row, entries.col, np.asarray(entries.data)
        )

    def least_rest(self, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
        """Per entry, the least value of the rest of its row over the box; -inf where unbounded."""
        return self._rest(np.where(self.value > 0, lower[self.column], upper[self.column]))

    def largest_rest(self, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
        """Per entry, the largest value of the rest of its row over the box; inf where unbounded."""
        return self._rest(np.where(self.value > 0, upper[self.column], lower[self.column]))

    def _rest(self, ends: np.ndarray) -> np.ndarray:
        terms = self.value * ends
        infinite = np.isinf(terms)
        finite = np.where(infinite, 0.0, terms)
        count = len(self.h)
        total = np.bincount(self.row, finite, count)[self.row] - finite
        unbounded = np.bincount(self.row, infinite, count)[self.row] - infinite > 0
        direction = np.sign(np.bincount(self.row, np.where(infinite, terms, 0.0), count))[self.row]
        return np.where(unbounded, np.where(direction < 0, -np.inf, np.inf), total)


def _propagated(
    rows: Inequalities, box: Box, given: tuple[np.ndarray, np.ndarray], integer: np.ndarray
) -> Box:
    """a x_j <= h - least(rest): the tightest bound that a single row gives, only for sides not given."""
    lower, upper = box.lower.copy(), box.upper.copy()
    for _ in range(_PASSES):
        with np.errstate(invalid="ignore"):
            reach = (rows.h[rows.row] - rows.least_rest(lower, upper)) / rows.value
        new_lower, new_upper = lower.copy(), upper.copy()
        up = rows.value > 0
        np.minimum.at(new_upper, rows.column[up], reach[up])
        np.maximum.at(new_lower, rows.column[~up], reach[~up])
        new_lower, new_upper = _whole(new_lower, new_upper, integer)
        new_lower, new_upper = np.where(given[0], lower, new_lower), np.where(given[1], upper, new_upper)
        if np.array_equal(new_lower, lower) and np.array_equal(new_upper, upper):
            break
        lower, upper = new_lower, new_upper
    return replace(box, lower=lower, upper=upper)


def _by_cost(
    rows: Inequalities, box: Box, integer: np.ndarray, cost_sign: np.ndarray, by_cost: np.ndarray
) -> Box:
    """x_j that no row holds from above need not exceed what its rows ask for at most, if c_j >= 0."""
    lower, upper, assumed = box.lower.copy(), box.upper.copy(), box.assumed.copy()
    for side in (1, -1):
        end, other = (upper, lower) if side > 0 else (lower, upper)
        held = np.bincount(rows.column, side * rows.value > 0, len(lower)) > 0
        in_rows = np.bincount(rows.column, minlength=len(lower)) > 0
        willing = (side * cost_sign >= 0) | (np.isnan(cost_sign) & in_rows)
        candidates = np.isinf(end) & np.isfinite(other) & ~held & willing & by_cost
        with np.errstate(invalid="ignore"):
            asked = side * (rows.h[rows.row] - rows.largest_rest(lower, upper)) / rows.value
        need = np.where(candidates, side * other, -np.inf)
        np.maximum.at(need, rows.column, asked)
        need = np.where(integer & np.isfinite(need), np.ceil(np.where(integer, need, 0) - 1e-9), need)
        filled = candidates & np.isfinite(need)
        end[filled] = side * need[filled]
        assumed[filled & np.isnan(cost_sign)] = side
    return replace(box, lower=lower, upper=upper, assumed=assumed)


def _by_linear_program(rows: Inequalities, box: Box, integer: np.ndarray) -> Box:
    """min and max of each coordinate that is still unbounded, over the rows without integrality."""
    lower, upper = box.lower.copy(), box.upper.copy()
    n = len(lower)
    model = highs_model(rows.G, np.full(len(rows.h), -np.inf), rows.h, lower, upper)
    model.run()
    if model.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return replace(box, empty=True)
    for end, side in ((lower, 1.0), (upper, -1.0)):
        for j in np.flatnonzero(np.isinf(end)):
            cost = np.zeros(n)
            cost[j] = side
            model.changeColsCost(n, np.arange(n, dtype=np.int32), cost)
            model.run()
            if model.getModelStatus() == highspy.HighsModelStatus.kOptimal:
                end[j] = side * model.getInfo().objective_function_value
    lower, upper = _whole(lower, upper, integer)
    return replace(box, lower=lower, upper=upper)


def _whole(lower: np.ndarray, upper: np.ndarray, integer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of integer variables rounded inwards, forgiving rounding errors."""
    return (
        np.where(integer, np.ceil(lower - 1e-9), lower),
        np.where(integer, np.floor(upper + 1e-9), upper),
    )
