"""Rows w'z <= c as sums of whole numbers, which float64 adds without rounding."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: sums below 2^53 are exact; a bit is left for room
_BITS = 52


class WholeUnits(NamedTuple):
    """weights (rows, n) and room (rows,), whole numbers as float64: z fits iff weights z <= room.

    relative (rows, n) is weights / room, 0 where a row has neither.
    """

    weights: np.ndarray
    room: np.ndarray
    relative: np.ndarray


def whole_units(weights: np.ndarray, capacity: np.ndarray) -> WholeUnits:
    """Rows of weights (rows, n) and capacity (rows,) in whole units, a power of two for each row.

    Whole numbers, halves, quarters, ... are exact: nothing overfull fits. Decimals are rounded already when
    they are written down, so 0.1 + 0.2 fits 0.3: they are rounded to 2^-52 of the capacity, which may be
    exceeded by (n + 16) such units.
    """
    rows = [_row(w, c) for w, c in zip(weights, capacity, strict=True)]
    units, room = np.stack([w for w, _ in rows]), np.array([r for _, r in rows])
    return WholeUnits(units, room, units / np.maximum(room, 1.0)[:, None])


def _row(weights: np.ndarray, capacity: float) -> tuple[np.ndarray, float]:
    forgiven = capacity * (1.0 + (len(weights) + 16) * 2.0**-52)
    fits = weights <= forgiven
    inside = np.where(fits, weights, 0.0)
    if not inside.any():
        return (weights > 0.0).astype(np.float64), 0.0
    lowest = int(_lowest_bits(inside[inside > 0.0]).min())
    highest = int(np.frexp(min(capacity, float(inside.sum())))[1])
    whole = highest - lowest <= _BITS
    bits = lowest if whole else highest - _BITS
    units = np.rint(np.ldexp(inside, -bits))
    exact = whole and (capacity == 0.0 or int(_lowest_bits(np.array([capacity]))[0]) >= lowest)
    # a row that never binds has room for all
    room = min(float(np.floor(np.ldexp(capacity if exact else forgiven, -bits))), float(units.sum()))
    return np.where(fits, units, room + 1.0), room


def _lowest_bits(numbers: np.ndarray) -> np.ndarray:
    """Exponents of the lowest bit set in positive float64 numbers."""
    mantissa, exponent = np.frexp(numbers)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    return exponent - 53 + np.frexp((whole & -whole).astype(np.float64))[1] - 1
