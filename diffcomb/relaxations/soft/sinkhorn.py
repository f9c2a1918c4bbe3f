"""Sinkhorn's normalisation in the log domain."""

from __future__ import annotations

from torch import Tensor


def sinkhorn(log_scores: Tensor, sweeps: int) -> Tensor:
    """exp of A after `sweeps` times A <- A - lse_row(A), A <- A - lse_col(A): (..., n, n) -> (..., n, n).

    Columns sum to 1, rows to 1 in the limit (Sinkhorn 1964). For log_scores = L / tau it tends to the
    permutation of largest <L, P> as tau -> 0 and sweeps -> infinity (Mena et al. 2018, arXiv:1802.08665).
    Too few sweeps for a low tau leave rows like (1/2, 1/2), which look converged and are not. Entries
    of -inf stay zero.
    """
    for _ in range(sweeps):
        log_scores = log_scores - log_scores.logsumexp(-1, keepdim=True)
        log_scores = log_scores - log_scores.logsumexp(-2, keepdim=True)
    return log_scores.exp()
