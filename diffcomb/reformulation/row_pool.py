"""Lazy rows found so far, kept between calls: training meets the same subtours thousands of times."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from diffcomb.problems import Rows


class RowPool:
    """Distinct rows G x <= h and how long ago each was last tight.

    Args:
        num_vars: n.
        patience: calls a row may stay slack before `purge` drops it. Small: few rows in every solve,
            some found again. Large: the opposite.
        limit: `purge` does nothing while the pool is smaller.
    """

    def __init__(self, num_vars: int, *, patience: int = 100, limit: int = 32) -> None:
        self.rows = Rows.empty(num_vars)
        self.patience, self.limit = patience, limit
        self._keys: list[bytes] = []
        self._idle = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, found: Rows) -> int:
        """Append the rows not yet here; returns how many."""
        known, fresh = set(self._keys), []
        for r in range(len(found)):
            row = found.G[[r]]
            row.sort_indices()
            key = row.indices.tobytes() + row.data.tobytes() + found.h[r].tobytes()
            if key not in known:
                known.add(key)
                self._keys.append(key)
                fresh.append(r)
        if fresh:
            G = sparse.csr_array(sparse.vstack([self.rows.G, found.G[fresh]], format="csr"))
            self.rows = Rows(G, np.concatenate([self.rows.h, found.h[fresh]]))
            self._idle = np.concatenate([self._idle, np.zeros(len(fresh), dtype=np.int64)])
        return len(fresh)

    def purge(self, tight: np.ndarray) -> bool:
        """Note which rows were tight in a call, drop those idle for too long; True if any was dropped."""
        self._idle = np.where(tight, 0, self._idle + 1)
        keep = self._idle <= self.patience
        if len(self) <= self.limit or keep.all():
            return False
        self.rows = Rows(sparse.csr_array(self.rows.G[keep]), self.rows.h[keep])
        self._keys = [key for key, kept in zip(self._keys, keep, strict=True) if kept]
        self._idle = self._idle[keep]
        return True
