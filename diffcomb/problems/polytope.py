"""The H-description X = {x : A x = b, G x <= h, 0 <= x <= 1} that a problem hands to the convex solvers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from diffcomb.errors import InvalidInstanceError


@dataclass(frozen=True)
class Rows:
    """Inequalities G x <= h; `len` is their number."""

    G: sparse.csr_array
    h: np.ndarray

    def __len__(self) -> int:
        return self.h.shape[0]

    @staticmethod
    def empty(num_vars: int) -> Rows:
        return Rows(sparse.csr_array((0, num_vars)), np.zeros(0))

    @staticmethod
    def from_lists(
        supports: list[np.ndarray], coefficients: list[np.ndarray], h: list[float], num_vars: int
    ) -> Rows:
        """Rows given by their nonzero columns and coefficients."""
        if not supports:
            return Rows.empty(num_vars)
        indptr = np.concatenate([[0], np.cumsum([len(s) for s in supports])])
        data = np.concatenate(coefficients).astype(np.float64)
        G = sparse.csr_array((data, np.concatenate(supports), indptr), shape=(len(supports), num_vars))
        return Rows(G, np.asarray(h, dtype=np.float64))


Separation = Callable[[np.ndarray], Rows]


@dataclass(frozen=True)
class Polytope:
    """X = {x in [0,1]^n : A x = b, G x <= h}, plus rows that are found only when violated.

    Args:
        A, b: equalities, sparse (p, n) and (p,).
        G, h: inequalities known from the start, sparse (q, n) and (q,).
        integral: True when X (with all lazy rows) is conv(Z), so that the exactness theorem speaks
            of Z itself; False when X is an outer relaxation with fractional vertices.
        separation: x -> violated rows among the lazy ones, or None when nothing is lazy.
        every_lazy_row: all of them at once, where they can be written down: solvers may prefer that
            where thousands are tight.
    """

    A: sparse.csr_array
    b: np.ndarray
    G: sparse.csr_array
    h: np.ndarray
    integral: bool
    separation: Separation | None = field(default=None, compare=False)
    every_lazy_row: Callable[[], Rows] | None = field(default=None, compare=False)

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

    @property
    def num_vars(self) -> int:
        return int(self.A.shape[1])

    @property
    def is_lazy(self) -> bool:
        return self.separation is not None

    def separate(self, x: np.ndarray) -> Rows:
        """Lazy rows violated at x (n,); empty when x satisfies all of them."""
        if self.separation is None:
            return Rows.empty(self.num_vars)
        return self.separation(np.asarray(x, dtype=np.float64))

    def without_lazy_rows(self) -> Polytope:
        """The outer relaxation by the rows known from the start."""
        return Polytope(self.A, self.b, self.G, self.h, self.integral and not self.is_lazy)

    def with_rows(self, rows: Rows) -> Polytope:
        """The same polytope with `rows` appended to G, h."""
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
        separation: Separation | None = None,
        every_lazy_row: Callable[[], Rows] | None = None,
    ) -> Polytope:
        """Build from dense or sparse arrays; a missing block means no rows of that kind."""

        def matrix(M: object) -> sparse.csr_array:
            if M is None:
                return sparse.csr_array((0, num_vars))
            if sparse.issparse(M):
                return sparse.csr_array(M, dtype=np.float64)
            return sparse.csr_array(np.atleast_2d(np.asarray(M, dtype=np.float64)))

        def vector(v: object) -> np.ndarray:
            return np.zeros(0) if v is None else np.atleast_1d(np.asarray(v, dtype=np.float64))

        return Polytope(matrix(A), vector(b), matrix(G), vector(h), integral, separation, every_lazy_row)
