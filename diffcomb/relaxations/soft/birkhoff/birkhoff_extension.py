"""The extension of any function of permutations to doubly stochastic matrices, with a rounding guarantee."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from diffcomb.errors import DiscontinuityWarning
from diffcomb.relaxations.soft.birkhoff.birkhoff_decomposition import decompose, weights_adjoint

#: permutations (L, n), the column of each row -> their values (L,); may be any black box
Values = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Extension:
    """F_S at a batch of matrices, and what it rounds to.

    Attributes:
        value: (batch,), differentiable.
        permutation: (batch, n) int64, the best term; its value is never above `value`.
        rounded: (batch,) value of that permutation.
        terms: permutations evaluated per matrix.
        mass: (batch,) sum of the weights, 1 but for truncation and unfinished Sinkhorn sweeps.
    """

    value: Tensor
    permutation: np.ndarray
    rounded: np.ndarray
    terms: np.ndarray
    mass: np.ndarray


def birkhoff_extension(
    matrix: Tensor, values: Values, score: np.ndarray, max_terms: int | None = None
) -> Extension:
    """F_S(A) = sum_l alpha_l f(P_l) / sum_l alpha_l over the decomposition of A in the order of S.

    Nerem, Luo, Rafiey & Wang 2025 (arXiv:2411.10707). F_S = f on permutations, min F_S = min f,
    Lipschitz and differentiable almost everywhere; min_l f(P_l) <= F_S(A), a convex combination.
    Gradient in closed form, sum_l w_l E_(pivot of l) with w = M^-T f; f is only evaluated.

    Args:
        matrix: (batch, n, n), doubly stochastic.
        values: f of all permutations of one matrix at once.
        score: S (n, n) or (batch, n, n): <S, P> must differ between permutations, as it does for a
            continuous random S almost surely; not for a constant one.
        max_terms: None decomposes fully: at most n^2 - 2n + 2 terms, O(n^4). A number cuts the sum
            off: cheaper, rounding keeps its guarantee, but F_S jumps where the kept terms change.
    """
    scores = np.broadcast_to(score, tuple(matrix.shape))
    evaluated = _evaluate(matrix.detach().cpu().double().numpy(), values, scores, max_terms)
    value = _Attach.apply(matrix, evaluated.values, evaluated.gradients)
    return Extension(value, evaluated.best, evaluated.rounded, evaluated.terms, evaluated.mass)


def warn_if_truncated(max_terms: int | None) -> None:
    """Say once, where a layer is built, what truncation costs."""
    if max_terms is not None:
        warnings.warn(
            f"max_terms={max_terms} cuts the Birkhoff decomposition off: the extension is discontinuous where"
            " the kept terms change. max_terms=None is continuous.",
            DiscontinuityWarning,
            stacklevel=3,
        )


@dataclass(frozen=True)
class _Evaluated:
    values: np.ndarray
    gradients: np.ndarray
    best: np.ndarray
    rounded: np.ndarray
    terms: np.ndarray
    mass: np.ndarray


def _evaluate(matrices: np.ndarray, f: Values, scores: np.ndarray, max_terms: int | None) -> _Evaluated:
    batch, n = matrices.shape[:2]
    most = n * n if max_terms is None else max_terms
    out = _Evaluated(
        np.zeros(batch),
        np.zeros_like(matrices),
        np.zeros((batch, n), np.int64),
        np.zeros(batch),
        np.zeros(batch, np.int64),
        np.zeros(batch),
    )
    for b in range(batch):
        alpha, permutations, pivots = decompose(matrices[b], np.ascontiguousarray(scores[b]), most)
        values = np.asarray(f(permutations), dtype=np.float64)
        mass = alpha.sum()
        out.values[b] = alpha @ values / mass
        out.gradients[b] = weights_adjoint(permutations, pivots, (values - out.values[b]) / mass)
        best = int(values.argmin())
        out.best[b], out.rounded[b] = permutations[best], values[best]
        out.terms[b], out.mass[b] = len(alpha), mass
    return out


class _Attach(torch.autograd.Function):
    """Values computed elsewhere, with their gradient in `matrix`."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, values: np.ndarray, gradients: np.ndarray) -> Tensor:
        ctx.gradients = gradients
        return torch.from_numpy(values).to(matrix.device, matrix.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        gradients = torch.from_numpy(ctx.gradients).to(grads[0].device, grads[0].dtype)
        return grads[0][:, None, None] * gradients, None, None
