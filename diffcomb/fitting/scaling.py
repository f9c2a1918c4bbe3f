"""Features to mean 0 and spread 1, costs to mean size 1: stored with the weights, so that nobody forgets."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from diffcomb.errors import InvalidCostsError


class Scaling(nn.Module):
    """x -> (x - mean) / spread, constant features to 0; costs are divided by one number, mean |c|.

    One number for all costs: decisions do not change, and rho, noise and learning rates find costs of size 1.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.spread: Tensor
        self.size: Tensor
        self.register_buffer("mean", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("spread", torch.ones(features, dtype=torch.float64))
        self.register_buffer("size", torch.ones((), dtype=torch.float64))

    def fit(self, X: Tensor, C: Tensor) -> None:
        """From training data X (rows, F), C (rows, P)."""
        spread = X.std(0, correction=0)
        self.mean.copy_(X.mean(0))
        self.spread.copy_(torch.where(spread > 1e-12 * X.abs().amax(0), spread, torch.inf))
        size = C.abs().mean()
        self.size.copy_(size if size > 0 else torch.ones(()))

    def features(self, X: Tensor) -> Tensor:
        return (X - self.mean) / self.spread


def as_matrix(values: Any, name: str, columns: int | None = None) -> tuple[Tensor, list[str] | None, Any]:
    """Arrays, tensors or DataFrames (rows, columns) as float64, with their column names and index, if any.

    Raises:
        InvalidCostsError: not two-dimensional, not numbers, not finite, or another number of columns.
    """
    names = [str(c) for c in values.columns] if hasattr(values, "columns") else None
    index = getattr(values, "index", None) if names is not None else None
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidCostsError(f"{name} must hold numbers alone: {error}.") from None
    if array.ndim != 2 or (columns is not None and array.shape[1] != columns):
        wanted = "(rows, columns)" if columns is None else f"(rows, {columns})"
        raise InvalidCostsError(f"{name} must have shape {wanted}, got {array.shape}.")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise InvalidCostsError(f"{name} must be finite; row {row}, column {column} is {array[row, column]}.")
    return torch.from_numpy(array.copy()), names, index
