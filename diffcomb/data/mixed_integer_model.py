"""A mixed-integer linear model as a file describes it, names kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from diffcomb.errors import InfeasibleError, InvalidInstanceError

#: bounds and right-hand sides from here on mean infinity, as in all solvers
INFINITE = 1e20
#: how far a bound of an integer variable may be from a whole number that it means
_ROUNDING = 1e-9


@dataclass(frozen=True)
class MixedIntegerModel:
    """sense costs'x + x'Q x / 2 + constant  subject to  A x = b, G x <= h, lower <= x <= upper.

    Attributes:
        names: of the columns, in the order of all arrays here. LP files list columns by first
            appearance, so match by name: `columns_named`.
        sense: "min" or "max"; costs, Q and constant are the file's own, never negated.
        A, b, G, h: rows with finite right-hand sides, those with two sides as two rows of G, first all
            upper sides, then all lower ones.
        equality_names, inequality_names: of the rows of A and of G.
        lower, upper: (n,), infinite where there is no bound; whole numbers where `integer`.
        integer: (n,) bool.
        Q: (n, n) symmetric, or None where the objective is linear.
    """

    names: tuple[str, ...]
    costs: np.ndarray
    constant: float
    sense: Literal["min", "max"]
    A: sparse.csr_array
    b: np.ndarray
    G: sparse.csr_array
    h: np.ndarray
    equality_names: tuple[str, ...]
    inequality_names: tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    integer: np.ndarray
    Q: sparse.csr_array | None = None

    def columns_named(self, patterns: Sequence[str]) -> np.ndarray:
        """Indices of the columns that match one of the patterns, ascending: * is any text, ? any character;
        brackets stand for themselves, since names have them, and case counts.

        Raises:
            InvalidInstanceError: a pattern matches no column.
        """
        chosen = np.zeros(len(self.names), dtype=bool)
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            wanted = re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."))
            found = np.array([wanted.fullmatch(name) is not None for name in self.names], dtype=bool)
            if not found.any():
                some = ", ".join(self.names[:5])
                raise InvalidInstanceError(f"No variable is called {pattern!r}; the first are {some}.")
            chosen |= found
        return np.flatnonzero(chosen)


@dataclass(frozen=True)
class RowBounds:
    """low <= matrix x <= up, with one name a row."""

    names: tuple[str, ...]
    matrix: sparse.csr_array
    low: np.ndarray
    up: np.ndarray


@dataclass(frozen=True)
class Columns:
    """Names, costs, bounds and integrality of the variables."""

    names: tuple[str, ...]
    costs: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    integer: np.ndarray


def assemble(
    source: str,
    columns: Columns,
    rows: RowBounds,
    *,
    sense: Literal["min", "max"],
    constant: float = 0.0,
    Q: sparse.csr_array | None = None,
) -> MixedIntegerModel:
    """Rows split into equalities and inequalities; bounds of integers moved inwards to whole numbers.

    Args:
        source: the file, for messages.

    Raises:
        InvalidInstanceError: no variables, a coefficient that is not finite, a row whose side is infinite
            the wrong way. InfeasibleError: bounds of a variable or a row that exclude each other.
    """
    if not columns.names:
        raise InvalidInstanceError(f"{source} has no variables.")
    for what, values in (
        ("objective", columns.costs),
        ("matrix", rows.matrix.data),
        ("objective", [constant]),
    ):
        if not np.isfinite(values).all():
            raise InvalidInstanceError(f"The {what} of {source} has a coefficient that is not finite.")
    lower, upper = _inwards(columns)
    _check_sides(source, "variable", columns.names, lower, upper)
    low, up = (_with_infinity(side) for side in (rows.low, rows.up))
    _check_sides(source, "row", rows.names, low, up)
    equal = low == up
    above, below = ~equal & np.isfinite(up), ~equal & np.isfinite(low)
    names = np.array(rows.names, dtype=object)
    return MixedIntegerModel(
        columns.names,
        columns.costs,
        float(constant),
        sense,
        sparse.csr_array(rows.matrix[equal]),
        low[equal],
        sparse.csr_array(sparse.vstack([rows.matrix[above], -rows.matrix[below]], format="csr")),
        np.concatenate([up[above], -low[below]]),
        tuple(names[equal]),
        (*names[above], *names[below]),
        lower,
        upper,
        columns.integer,
        Q if Q is not None and Q.nnz else None,
    )


def _inwards(columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """x <= 0.5 means x <= 0 for an integer x, and x >= 0.2 means x >= 1."""
    lower, upper = _with_infinity(columns.lower), _with_infinity(columns.upper)
    slack = _ROUNDING * np.maximum(1.0, np.abs(np.stack([lower, upper])))
    integer = columns.integer
    with np.errstate(invalid="ignore"):  # infinite bounds are left alone
        inner = np.ceil(lower - slack[0]), np.floor(upper + slack[1])
    lower = np.where(integer & np.isfinite(lower), inner[0], lower) + 0.0  # no minus zero
    return lower, np.where(integer & np.isfinite(upper), inner[1], upper) + 0.0


def _with_infinity(values: np.ndarray) -> np.ndarray:
    large = np.abs(values) >= INFINITE
    return np.where(large, np.copysign(np.inf, values), values)


def _check_sides(source: str, kind: str, names: tuple[str, ...], low: np.ndarray, up: np.ndarray) -> None:
    wrong = np.flatnonzero(np.isnan(low) | np.isnan(up) | (low == np.inf) | (up == -np.inf))
    if len(wrong):
        k = wrong[0]
        raise InvalidInstanceError(f"{source}: {kind} {names[k]} must lie between {low[k]:g} and {up[k]:g}.")
    crossed = np.flatnonzero(low > up)
    if len(crossed):
        k = crossed[0]
        whole = " whole" if kind == "variable" else ""
        raise InfeasibleError(
            f"{source}: {kind} {names[k]} must lie between {low[k]:g} and {up[k]:g}; no{whole} number does."
        )
