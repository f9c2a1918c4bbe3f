"""Cover and clique cuts of a 0-1 program, separated greedily (a heuristic: may find none)."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from diffcomb.program.rows import Rows

_TOLERANCE = 1e-6


def cover_cuts(
    G: sparse.csr_array, h: np.ndarray, x: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Cover inequalities sum over C of y_j <= |C| - 1 violated at x, C a minimal cover of a row of G x <= h.

    Negative coefficients are complemented (y_j = 1 - x_j), so a cut is returned as
    (columns, signs, right-hand side) in x (Balas 1975).
    """
    cuts = []
    for k in range(len(h)):
        span = slice(G.indptr[k], G.indptr[k + 1])
        columns, a = G.indices[span], G.data[span]
        y = np.where(a > 0, x[columns], 1.0 - x[columns])
        weights, capacity = np.abs(a), h[k] - a[a < 0].sum()
        # a cover wants sum over C of (1 - y_j) < 1: take items by (1 - y) per weight
        order = np.argsort((1.0 - y) / np.maximum(weights, 1e-12), kind="stable")
        total = np.cumsum(weights[order])
        reached = np.flatnonzero(total > capacity + 1e-9 * (1 + abs(capacity)))
        if not len(reached):
            continue
        cover = list(order[: reached[0] + 1])
        excess = total[reached[0]] - capacity
        for j in sorted(cover, key=lambda j: y[j]):  # minimal: drop what is not needed
            if weights[j] < excess - 1e-9 * (1 + abs(capacity)):
                cover.remove(j)
                excess -= weights[j]
        chosen = np.asarray(cover)
        if y[chosen].sum() > len(chosen) - 1 + _TOLERANCE:
            signs = np.where(a[chosen] > 0, 1.0, -1.0)
            cuts.append((columns[chosen], signs, len(chosen) - 1.0 - float((signs < 0).sum())))
    return cuts


def clique_cuts(conflicts: sparse.csr_array, x: np.ndarray) -> list[np.ndarray]:
    """Sets Q of pairwise conflicting variables with x(Q) > 1: grown greedily by value of x."""
    candidates = np.flatnonzero(x > _TOLERANCE)
    candidates = candidates[np.argsort(-x[candidates], kind="stable")]
    found = []
    for seed in candidates[:50]:
        allowed = set(conflicts.indices[conflicts.indptr[seed] : conflicts.indptr[seed + 1]].tolist())
        clique = [int(seed)]
        for j in candidates:
            if int(j) in allowed:
                clique.append(int(j))
                allowed &= set(conflicts.indices[conflicts.indptr[j] : conflicts.indptr[j + 1]].tolist())
        if x[clique].sum() > 1 + _TOLERANCE:
            found.append(np.sort(np.asarray(clique)))
    return list({tuple(q): q for q in found}.values())


def conflict_graph(G: sparse.csr_array, h: np.ndarray) -> sparse.csr_array:
    """Symmetric 0-1 matrix of pairs that no feasible point sets to 1 together, from single rows."""
    n = G.shape[1]
    pairs: list[np.ndarray] = []
    for k in range(len(h)):
        span = slice(G.indptr[k], G.indptr[k + 1])
        columns, a = G.indices[span], G.data[span]
        room = h[k] - np.minimum(a, 0).sum()
        positive = columns[a > 0]
        weights = a[a > 0]
        together = np.triu(weights[:, None] + weights[None, :] > room + 1e-9 * (1 + abs(room)), k=1)
        i, j = np.nonzero(together)
        pairs.append(np.stack([positive[i], positive[j]]))
    u, v = np.concatenate(pairs, axis=1) if pairs else np.zeros((2, 0), dtype=np.int64)
    graph = sparse.csr_array((np.ones(2 * len(u)), (np.r_[u, v], np.r_[v, u])), shape=(n, n))
    graph.sum_duplicates()
    return graph


def separate_cuts(G: sparse.csr_array, h: np.ndarray, conflicts: sparse.csr_array, x: np.ndarray) -> Rows:
    """Violated cover and clique cuts as rows."""
    covers, cliques = cover_cuts(G, h, x), clique_cuts(conflicts, x)
    return Rows.from_lists(
        [columns for columns, _, _ in covers] + cliques,
        [signs for _, signs, _ in covers] + [np.ones(len(q)) for q in cliques],
        [rhs for _, _, rhs in covers] + [1.0] * len(cliques),
        len(x),
    )
