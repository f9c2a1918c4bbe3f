"""Lazy rows found so far, kept between calls: training meets the same subtours thousands of times."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from diffcomb.program import Rows
from diffcomb.projection.kernels.rows import LazyArrays, no_lazy_rows

#: a row of unit norm counts as violated beyond this
_VIOLATED = 1e-9


class RowPool:
    """Distinct rows G x <= h of unit norm and how long ago each was last tight.

    Args:
        num_vars: n.
        patience: calls a row may stay slack before `purge` drops it. Small: a small pool, some rows
            separated again. Large: the opposite.
        limit: `purge` does nothing while the pool is smaller.
    """

    def __init__(self, num_vars: int, *, patience: int = 100, limit: int = 1000) -> None:
        self.rows = Rows.empty(num_vars)
        self.arrays: LazyArrays = no_lazy_rows()
        self.patience, self.limit = patience, limit
        self._place: dict[bytes, int] = {}
        self._idle = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, found: Rows) -> np.ndarray:
        """The places of `found` in the pool; rows not yet here are appended."""
        norms = np.sqrt(np.asarray(found.G.multiply(found.G).sum(axis=1)).reshape(len(found)))
        scale = 1.0 / np.where(norms > 0, norms, 1.0)
        G = sparse.csr_array(sparse.diags_array(scale) @ found.G)
        G.sort_indices()
        h = found.h * scale
        places, fresh = np.empty(len(found), dtype=np.int64), []
        for r in range(len(found)):
            part = slice(G.indptr[r], G.indptr[r + 1])
            key = G.indices[part].tobytes() + G.data[part].tobytes() + h[r].tobytes()
            if key not in self._place:
                self._place[key] = len(self._place)
                fresh.append(r)
            places[r] = self._place[key]
        if fresh:
            self.rows = Rows(
                sparse.csr_array(sparse.vstack([self.rows.G, G[fresh]], format="csr")),
                np.concatenate([self.rows.h, h[fresh]]),
            )
            self._idle = np.concatenate([self._idle, np.zeros(len(fresh), dtype=np.int64)])
            self._refresh()
        return places

    def violated(self, x: np.ndarray, most: list[int]) -> list[np.ndarray]:
        """Per x (batch, n), the places of the rows it violates by most, at most `most` of them."""
        if not len(self):
            return [np.zeros(0, dtype=np.int64)] * len(x)
        excess = (self.rows.G @ x.T).T - self.rows.h
        found = []
        for own, limit in zip(excess, most, strict=True):
            places = np.flatnonzero(own > _VIOLATED)
            found.append(places[np.argsort(-own[places], kind="stable")[:limit]])
        return found

    def purge(self, tight: np.ndarray) -> None:
        """Note which places were tight in a call; drop rows idle for too long."""
        self._idle += 1
        self._idle[tight] = 0
        keep = self._idle <= self.patience
        if len(self) <= self.limit or keep.all():
            return
        self.rows = Rows(sparse.csr_array(self.rows.G[keep]), self.rows.h[keep])
        kept = [key for key, place in self._place.items() if keep[place]]
        self._place = {key: place for place, key in enumerate(kept)}
        self._idle = self._idle[keep]
        self._refresh()

    def _refresh(self) -> None:
        G = self.rows.G
        self.arrays = LazyArrays(G.indptr.astype(np.int64), G.indices.astype(np.uint32), G.data, self.rows.h)
