"""Minimise a function of permutations through its extension: Adam on a free matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from diffcomb.errors import UnknownNameError
from diffcomb.relaxations.soft.birkhoff.birkhoff_extension import (
    Values,
    birkhoff_extension,
    warn_if_truncated,
)
from diffcomb.relaxations.soft.sinkhorn import sinkhorn

SCORES = ("static", "dynamic")


@dataclass(frozen=True)
class BestPermutation:
    """permutation (n,), the column of each row; value = f of it; evaluations of f it took."""

    permutation: np.ndarray
    value: float
    evaluations: int


def birkhoff_search(
    values: Values,
    size: int,
    *,
    steps: int = 200,
    rate: float = 0.01,
    score: str = "dynamic",
    max_terms: int | None = None,
    seed: int = 0,
) -> BestPermutation:
    """min F_S(A), A = Sinkhorn(log |W|), by Adam on a free W (Nerem et al. 2025, arXiv:2411.10707).

    The released code runs Adam too, where the paper has Frank-Wolfe. The best permutation met is kept,
    so the value never gets worse.

    Args:
        values: f of permutations (L, size) -> (L,), any black box.
        score: "static", one random S; "dynamic", S = P_best + Q / (2 size), Q uniform in [0, 1/size^2],
            redrawn in every step (Algorithm 4).
        max_terms: None, or a truncation (released code: 5): cheap steps on a discontinuous F.
    """
    if score not in SCORES:
        raise UnknownNameError(f"Unknown score {score!r}; choose one of {', '.join(SCORES)}.")
    warn_if_truncated(max_terms)
    rng = np.random.default_rng(seed)
    S = rng.random((size, size))
    W = torch.from_numpy(rng.random((size, size))).requires_grad_()
    optimizer = torch.optim.Adam([W], lr=rate)
    best, lowest, evaluations = np.arange(size), np.inf, 0
    for _ in range(steps):
        optimizer.zero_grad()
        matrix = sinkhorn(W.abs().clamp_min(1e-9).log(), 50)
        found = birkhoff_extension(matrix[None], values, S, max_terms)
        found.value.sum().backward()
        optimizer.step()
        evaluations += int(found.terms[0])
        if found.rounded[0] < lowest:
            best, lowest = found.permutation[0], float(found.rounded[0])
        if score == "dynamic":
            S = rng.random((size, size)) / (2 * size**3)
            S[np.arange(size), best] += 1.0
    return BestPermutation(best, lowest, evaluations)
