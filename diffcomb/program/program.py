"""What is decided, as arrays: min theta'x over A x = b, G x <= h, lower <= x <= upper, some x integer."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from diffcomb.errors import InvalidInstanceError
from diffcomb.program.membership import Membership
from diffcomb.program.rows import Rows, Separation


@dataclass(frozen=True)
class Program:
    """X = {lower <= x <= upper : A x = b, G x <= h}, plus rows that are found only when violated.

    Z is the set of its points whose `integer` coordinates are whole numbers; X contains conv(Z).

    Args:
        A, b: equalities, sparse (p, n) and (p,).
        G, h: inequalities known from the start, sparse (q, n) and (q,).
        integral: True when X (with all lazy rows) is conv(Z), so that the exactness theorem speaks
            of Z itself; False when X is an outer relaxation with vertices outside Z.
        separation: x -> violated rows among the lazy ones, or None when nothing is lazy.
        every_lazy_row: all of them at once, where they can be written down: solvers may prefer that
            where thousands are tight.
        lower, upper: (n,) finite bounds; None: 0 and 1.
        integer: (n,) bool; None: all of them.
        quadratic: (n, n) symmetric Q of a term x'Q x / 2 of the objective, or None: linear.
        structure: equal for two programs that share all but b and h; needed only where `separation` is
            given, whose rows cannot be compared. None: compared by content, lazy ones by identity.

    Raises:
        InvalidInstanceError: shapes that do not fit, a NaN or an infinity, bounds that cross.
    """

    A: sparse.csr_array
    b: np.ndarray
    G: sparse.csr_array
    h: np.ndarray
    integral: bool
    separation: Separation | None = field(default=None, compare=False)
    every_lazy_row: Callable[[], Rows] | None = field(default=None, compare=False)
    lower: np.ndarray = None  # type: ignore[assignment]  # filled in below
    upper: np.ndarray = None  # type: ignore[assignment]
    integer: np.ndarray = None  # type: ignore[assignment]
    quadratic: sparse.csr_array | None = None
    structure: Hashable | None = None

    def __post_init__(self) -> None:
        if self.A.shape[1] != self.G.shape[1]:
            raise InvalidInstanceError(
                f"A has {self.A.shape[1]} columns but G has {self.G.shape[1]}; both need one per variable."
            )
        for name, matrix, rhs in (("A", self.A, self.b), ("G", self.G, self.h)):
            if matrix.shape[0] != rhs.shape[0]:
                raise InvalidInstanceError(
                    f"{name} has {matrix.shape[0]} rows but its right-hand side has {rhs.shape[0]} entries."
                )
            if not (np.isfinite(matrix.data).all() and np.isfinite(rhs).all()):
                raise InvalidInstanceError(f"{name} or its right-hand side has a NaN or an infinity.")
        n = self.num_vars
        for name, missing in (("lower", 0.0), ("upper", 1.0), ("integer", True)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.full(n, missing))
            if getattr(self, name).shape != (n,):
                raise InvalidInstanceError(
                    f"{name} needs one entry per variable, {n}, got shape {getattr(self, name).shape}."
                )
        if not (np.isfinite(self.lower).all() and np.isfinite(self.upper).all()):
            place = int(np.flatnonzero(~(np.isfinite(self.lower) & np.isfinite(self.upper)))[0])
            raise InvalidInstanceError(f"Variable {place} needs finite bounds.")
        if (self.lower > self.upper).any():
            place = int(np.flatnonzero(self.lower > self.upper)[0])
            raise InvalidInstanceError(
                f"Variable {place} has a lower bound {self.lower[place]:g} above its upper bound"
                f" {self.upper[place]:g}."
            )

    @property
    def num_vars(self) -> int:
        return int(self.A.shape[1])

    @property
    def is_lazy(self) -> bool:
        return self.separation is not None

    @cached_property
    def has_unit_box(self) -> bool:
        """0 <= x <= 1 for every coordinate."""
        return not self.lower.any() and bool((self.upper == 1.0).all())

    @cached_property
    def is_binary(self) -> bool:
        """Z is a set of 0-1 vectors."""
        return self.has_unit_box and bool(self.integer.all())

    @cached_property
    def structure_key(self) -> Hashable:
        """Equal for programs that differ in b and h alone, which solvers take as values of a batch."""
        if self.structure is not None:
            return self.structure
        if self.is_lazy:
            return id(self)
        parts: list[Any] = [self.integral, self.num_vars]
        for matrix in (self.A, self.G):
            parts += [matrix.shape, matrix.indptr.tobytes(), matrix.indices.tobytes(), matrix.data.tobytes()]
        parts += [self.lower.tobytes(), self.upper.tobytes(), self.integer.tobytes()]
        Q = self.quadratic
        parts.append(None if Q is None else (Q.indptr.tobytes(), Q.indices.tobytes(), Q.data.tobytes()))
        return tuple(parts)

    @cached_property
    def membership(self) -> Membership:
        """Which points satisfy the rows known from the start, exactly where they are whole numbers."""
        return Membership(self)

    def contains(self, x: np.ndarray, precision: float = 0.0) -> np.ndarray:
        """x (..., n) -> (...) bool: whole to 1e-6 where it must be, in its bounds, in the known rows.

        Args:
            precision: as of `Membership.contains`.
        """
        return self.membership.contains(np.asarray(x, dtype=np.float64), precision)

    def separate(self, x: np.ndarray) -> Rows:
        """Lazy rows violated at x (n,); empty when x satisfies all of them."""
        if self.separation is None:
            return Rows.empty(self.num_vars)
        return self.separation(np.asarray(x, dtype=np.float64))

    def without_lazy_rows(self) -> Program:
        """The outer relaxation by the rows known from the start."""
        if not self.is_lazy:
            return self
        return replace(self, integral=False, separation=None, every_lazy_row=None)

    def with_rows(self, rows: Rows) -> Program:
        """The same program with `rows` appended to G, h."""
        G = sparse.csr_array(sparse.vstack([self.G, rows.G], format="csr"))
        return replace(self, G=G, h=np.concatenate([self.h, rows.h]))

    @staticmethod
    def from_arrays(
        A: object = None,
        b: object = None,
        G: object = None,
        h: object = None,
        *,
        num_vars: int,
        integral: bool,
        **others: Any,
    ) -> Program:
        """Build from dense or sparse arrays, copied; a missing block means no rows of that kind.

        Args:
            others: as of `Program`.
        """

        def matrix(M: object) -> sparse.csr_array:
            if M is None:
                return sparse.csr_array((0, num_vars))
            if sparse.issparse(M):
                return sparse.csr_array(M, dtype=np.float64, copy=True)
            return sparse.csr_array(np.atleast_2d(np.asarray(M, dtype=np.float64)))

        def vector(v: object) -> np.ndarray:
            return np.zeros(0) if v is None else np.atleast_1d(np.array(v, dtype=np.float64))

        return Program(matrix(A), vector(b), matrix(G), vector(h), integral, **others)
