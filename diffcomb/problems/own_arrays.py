"""What a problem keeps of its caller's numbers: copies, checked, so that it never changes with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from diffcomb.errors import InvalidInstanceError


def whole_numbers(values: Any, what: str) -> np.ndarray:
    """A copy as int64 of any shape; 2.0 is a whole number, 1.7 and NaN are not, nothing is cut off.

    Args:
        what: subject of the message, in the plural ("Arc end points").

    Raises:
        InvalidInstanceError: a fraction, a NaN, no numbers, or rows of different length.
    """
    array = _array(values, what)
    if array.size == 0:
        return np.zeros(array.shape, dtype=np.int64)
    if array.dtype.kind not in "iuf":
        raise InvalidInstanceError(f"{what} must be whole numbers, got {_some(values)}.")
    # also of unsigned integers, beyond which int64 would wrap around
    wrong = ~(np.abs(array.astype(np.float64)) < 2.0**63)
    if array.dtype.kind == "f":
        wrong |= array != np.floor(array)
    if wrong.any():
        raise InvalidInstanceError(f"{what} must be whole numbers, got {array[wrong].flat[0]}.")
    return array.astype(np.int64)


def whole_number(value: Any, what: str, least: int | None = None) -> int:
    """One whole number, at least `least`.

    Raises:
        InvalidInstanceError: it is none, or is smaller.
    """
    array = _array(value, what)
    whole = not array.ndim and array.dtype.kind in "iuf" and np.isfinite(array) and array == np.floor(array)
    if not whole or abs(int(array)) >= 2**63:
        raise InvalidInstanceError(f"{what} must be a whole number, got {_some(value)}.")
    if least is not None and int(array) < least:
        raise InvalidInstanceError(f"{what} must be at least {least}, got {int(array)}.")
    return int(array)


def real_numbers(values: Any, what: str) -> np.ndarray:
    """A copy as float64 of any shape, NaN and infinities included.

    Raises:
        InvalidInstanceError: no numbers, complex ones, or rows of different length.
    """
    array = _array(values, what)
    if array.dtype.kind not in "iufb":
        raise InvalidInstanceError(f"{what} must be numbers, got {_some(values)}.")
    return np.array(array, dtype=np.float64)


def pairs_of_nodes(edges: Any, what: str) -> np.ndarray:
    """(n, 2) int64 from (n, 2) or (2, n) whole numbers; (2, 2) is read as two rows.

    Raises:
        InvalidInstanceError: no whole numbers, or another shape.
    """
    pairs = whole_numbers(edges, what)
    if pairs.size == 0:
        return np.zeros((0, 2), dtype=np.int64)
    if pairs.ndim == 2 and pairs.shape[1] != 2 and pairs.shape[0] == 2:
        pairs = pairs.T
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise InvalidInstanceError(f"{what} must have shape (n, 2), got {pairs.shape}.")
    return pairs


def _array(values: Any, what: str) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        # numpy has no bfloat16
        return (values.double() if values.dtype == torch.bfloat16 else values).numpy()
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError):
        raise InvalidInstanceError(
            f"{what} must be numbers in rows of one length, got {_some(values)}."
        ) from None


def _some(values: Any) -> str:
    text = repr(values).replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:57]}..."
