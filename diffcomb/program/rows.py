"""Inequalities, and the functions that find those a point violates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse


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
