"""What durations are whole multiples of."""

from __future__ import annotations

from math import lcm

import numpy as np

#: multiples above this are those of any real number
_LARGEST = 2.0**24
#: relative: decimals such as 0.1 are not whole multiples to the last bit
_TOLERANCE = 1e-12
#: real numbers come closer than this / q^2 to a fraction p / q once in a thousand times
_CHANCE = 2.0**-14


def common_unit(values: np.ndarray) -> float | None:
    """The largest u > 0 such that all values (n,), not negative, are whole multiples of u; 1 for zeros.

    None for real numbers, and where multiples pass 2^24. Decimals count as multiples of 1/10, 1/100, ...
    and so do both in any other unit of time.
    """
    positive = values[values > 0]
    if not len(positive):
        return 1.0
    least, largest = float(positive.min()), float(positive.max())
    if largest > _LARGEST * least:
        return None
    if largest <= _LARGEST and np.array_equal(positive, np.rint(positive)):
        return float(np.gcd.reduce(positive.astype(np.int64)))
    most, parts = _LARGEST * least / largest, 1
    for ratio in (positive / least).tolist():
        # mostly 1: what is a multiple already; real numbers end the loop at the first two
        whole = ratio * parts
        if abs(whole - round(whole)) > _TOLERANCE * whole:
            denominator = _denominator(ratio)
            parts = 0 if denominator is None else lcm(parts, denominator)
            if not 0 < parts <= most:
                return None
    return least / parts


def _denominator(ratio: float) -> int | None:
    """The q of ratio = p / q, by continued fractions; None for a real number."""
    rest, before, q = ratio % 1.0, 0, 1
    while q <= _LARGEST:
        error = abs(ratio * q - round(ratio * q)) / ratio
        if error <= _TOLERANCE * q:
            return q if error * q <= _CHANCE else None
        if rest == 0.0:
            return None
        part = int(1.0 / rest)
        rest = 1.0 / rest - part
        before, q = q, part * q + before
    return None
