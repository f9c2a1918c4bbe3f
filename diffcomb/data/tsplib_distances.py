"""Coordinates -> distances by the formulas of TSPLIB95 (Reinelt 1995, section 2)."""

from __future__ import annotations

import numpy as np
import tsplib95

#: TSPLIB defines it so; with all digits some distances of published files differ by one
_PI = 3.141592
_EARTH_RADIUS = 6378.388

#: coordinates of a city, by weight type
DIMENSIONS = {
    "EUC_2D": 2, "CEIL_2D": 2, "MAN_2D": 2, "MAX_2D": 2, "ATT": 2, "GEO": 2,
    "EUC_3D": 3, "MAN_3D": 3, "MAX_3D": 3, "XRAY1": 3, "XRAY2": 3,
}  # fmt: skip


def distances_of(points: np.ndarray, weight_type: str) -> np.ndarray:
    """(N, 2 or 3) -> (N, N) whole numbers, symmetric with a diagonal of zeros; row by row, so that only
    one matrix is in memory. Infinite where squares overflow.
    """
    size = len(points)
    matrix = np.zeros((size, size))
    places = _radians(points) if weight_type == "GEO" else points
    for i in range(size - 1):
        with np.errstate(over="ignore"):
            matrix[i, i + 1 :] = _row(places[i], places[i + 1 :], weight_type)
    return matrix + matrix.T


def _row(start: np.ndarray, ends: np.ndarray, weight_type: str) -> np.ndarray:
    apart = np.abs(ends - start)
    if weight_type in ("EUC_2D", "EUC_3D"):
        return _nearest(np.sqrt((apart**2).sum(1)))
    if weight_type == "CEIL_2D":
        return np.ceil(np.sqrt((apart**2).sum(1)))
    if weight_type == "ATT":
        exact = np.sqrt((apart**2).sum(1) / 10)
        near = _nearest(exact)
        return np.where(near < exact, near + 1, near)
    if weight_type in ("MAN_2D", "MAN_3D"):
        return _nearest(apart.sum(1))
    if weight_type in ("MAX_2D", "MAX_3D"):
        return _nearest(apart.max(1))
    if weight_type == "GEO":
        q1, q2 = np.cos(start[1] - ends[:, 1]), np.cos(start[0] - ends[:, 0])
        q3 = np.cos(start[0] + ends[:, 0])
        cosine = np.clip(0.5 * ((1 + q1) * q2 - (1 - q1) * q3), -1.0, 1.0)
        return np.floor(_EARTH_RADIUS * np.arccos(cosine) + 1.0)
    crystal = tsplib95.distances.TYPES[weight_type]
    return np.array([crystal(tuple(start), tuple(end)) for end in ends], dtype=np.float64)


def _nearest(values: np.ndarray) -> np.ndarray:
    """TSPLIB's nint: halves go up, where numpy's round goes to the even neighbour."""
    return np.floor(values + 0.5)


def _radians(points: np.ndarray) -> np.ndarray:
    """DDD.MM, degrees and minutes -> radians; the fraction is cut off towards zero."""
    degrees = np.trunc(points)
    return _PI * (degrees + 5.0 * (points - degrees) / 3.0) / 180.0
