"""Rows in whole numbers: the unit u_i for which every M_ij / u_i is whole, whatever unit a row came in.

Weights of 3, 4 and 5 pF and a capacity of 7 pF are the numbers 3, 4, 5 and 7: comparisons then are exact,
in any unit, where a tolerance would let a sack be overfull by it.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

#: whole numbers that come out of a division stay below: beyond, every float looks whole
_LARGEST = 2.0**40
#: input is forgiven its rounding: a few units in the last place
_ROUNDING = 8 * 2.0**-53
#: decimals that are tried, and denominators of ratios such as 1/3 : 1/7
_DECIMALS = 12
_DENOMINATORS = 120


def row_units(M: sparse.csr_array, whole: np.ndarray) -> np.ndarray:
    """u (m,): row i of M is u_i times whole numbers to rounding of its entries; 0 where it is not.

    Tried in this order: whole numbers below 2^53, decimals of up to 12 digits, binary fractions (float32),
    ratios with small denominators. Rows without entries have unit 1.

    Args:
        whole: (n,) bool, columns that take whole values; a row with another column has none.
    """
    units = np.zeros(M.shape[0])
    used = M.data != 0
    counts = np.add.reduceat(np.r_[used, False].astype(np.int64), M.indptr[:-1]) * (np.diff(M.indptr) > 0)
    units[counts == 0] = 1.0
    data, columns = np.abs(M.data[used]), M.indices[used]
    rows = np.repeat(np.arange(M.shape[0]), counts)
    wrong = np.unique(rows[~whole[columns]])
    for find in (_of_whole_numbers, _of_decimals, _of_binary_fractions, _of_ratios):
        open_rows = (units == 0.0) & (counts > 0)
        open_rows[wrong] = False
        entries = open_rows[rows]
        if not entries.any():
            break
        starts = np.concatenate([[0], np.cumsum(counts[open_rows])[:-1]])
        units[open_rows] = find(data[entries], starts, counts[open_rows])
    return units


def whole_numbers(values: np.ndarray, unit: float) -> list[int]:
    """values / unit, rounded, as Python integers."""
    return [int(v) for v in np.round(values / unit)]


def _gcd(whole: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.gcd.reduceat(whole.astype(np.int64), starts).astype(np.float64)


def _of_whole_numbers(data: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    top = np.maximum.reduceat(data, starts)
    equal = np.minimum.reduceat(data, starts) == top
    whole = np.logical_and.reduceat(data == np.floor(data), starts) & (top < 2.0**53)
    shared = _gcd(np.where(np.repeat(whole, counts), data, 1.0), starts)
    return np.where(equal, top, np.where(whole, shared, 0.0))


def _near_whole(scaled: np.ndarray) -> np.ndarray:
    near = np.abs(scaled - np.round(scaled)) <= _ROUNDING * scaled
    return near & (scaled <= _LARGEST) & (scaled >= 0.5)


def _search(data: np.ndarray, starts: np.ndarray, base: np.ndarray, multipliers: np.ndarray) -> np.ndarray:
    """The unit base / multiplier of each row, for the first multiplier that makes its entries whole; or 0."""
    units = np.zeros(len(starts))
    top = np.maximum.reduceat(data, starts) / base
    # most rows of arbitrary numbers fail at one entry already
    hopeful = np.zeros(len(starts), dtype=bool)
    for multiplier in multipliers:
        hopeful |= _near_whole(top * multiplier)
    ends = np.r_[starts[1:], len(data)]
    for row in np.flatnonzero(hopeful):
        entries = data[starts[row] : ends[row]] / base[row]
        for multiplier in multipliers:
            scaled = entries * multiplier
            if _near_whole(scaled).all():
                shared = np.gcd.reduce(np.round(scaled).astype(np.int64))
                units[row] = base[row] / multiplier * float(shared)
                break
    return units


def _of_decimals(data: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    digit = np.floor(np.log10(np.minimum.reduceat(data, starts)))
    return _search(data, starts, 10.0**digit, 10.0 ** np.arange(_DECIMALS + 1))


def _of_binary_fractions(data: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    mantissa, exponent = np.frexp(data)
    digits = (mantissa * 2.0**53).astype(np.int64)
    last = exponent - 53 + np.log2((digits & -digits).astype(np.float64))
    units = np.exp2(np.minimum.reduceat(last, starts))
    return np.where(np.maximum.reduceat(data, starts) <= _LARGEST * units, units, 0.0)


def _of_ratios(data: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return _search(data, starts, np.minimum.reduceat(data, starts), np.arange(1.0, _DENOMINATORS + 1))
