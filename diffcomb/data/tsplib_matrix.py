"""EDGE_WEIGHT_SECTION of TSPLIB -> symmetric matrix."""

from __future__ import annotations

import numpy as np

from diffcomb.data.text import Place
from diffcomb.data.tsplib_file import TsplibFile

#: (half that the numbers fill row by row, with its diagonal); a symmetric matrix by columns is its
#: transpose by rows
_LAYOUTS = {
    "UPPER_ROW": ("upper", False), "LOWER_COL": ("upper", False),
    "LOWER_ROW": ("lower", False), "UPPER_COL": ("lower", False),
    "UPPER_DIAG_ROW": ("upper", True), "LOWER_DIAG_COL": ("upper", True),
    "LOWER_DIAG_ROW": ("lower", True), "UPPER_DIAG_COL": ("lower", True),
}  # fmt: skip


def read_matrix(read: TsplibFile, size: int) -> np.ndarray:
    """The weights (size, size) with a diagonal of zeros, in any of TSPLIB's nine layouts.

    A file that says one half of the matrix and lists the other has as many numbers. It is known by
    lines that grow where they should shrink, or by the zeros of a diagonal in the wrong places.

    Raises:
        InvalidInstanceError: an unknown layout, another count of numbers than it has, signs of the other
            half, or a full matrix that is not symmetric.
    """
    if "EDGE_WEIGHT_SECTION" not in read.sections:
        raise read.place("EDGE_WEIGHT_TYPE").refusal("explicit weights need an EDGE_WEIGHT_SECTION")
    place, value = read.required("EDGE_WEIGHT_FORMAT")
    layout = value.upper()
    if layout != "FULL_MATRIX" and layout not in _LAYOUTS:
        raise place.refusal(
            f"EDGE_WEIGHT_FORMAT {value[:40]!r} is none of FULL_MATRIX, {', '.join(_LAYOUTS)}"
        )
    lines = read.sections["EDGE_WEIGHT_SECTION"]
    rows = [at.reals(words) for at, words in lines]
    numbers = np.array([weight for row in rows for weight in row])
    half, diagonal = _LAYOUTS.get(layout, ("full", True))
    expected = size * size if half == "full" else size * (size + 1 if diagonal else size - 1) // 2
    if len(numbers) != expected:
        last = lines[-1][0] if lines else read.end
        raise last.refusal(
            f"{layout} of {size} cities has {expected} weights, the section lists {len(numbers)}"
        )
    if half == "full":
        return _symmetric(numbers.reshape(size, size), lines)
    other = "lower" if half == "upper" else "upper"
    if _has_lines_of(rows, other) or (diagonal and _has_diagonal_of(numbers, half, other, size)):
        raise place.refusal(f"EDGE_WEIGHT_FORMAT says {layout}, but the weights are those of the other half")
    matrix = np.zeros((size, size))
    matrix[_cells(half, size, diagonal)] = numbers
    matrix += matrix.T
    np.fill_diagonal(matrix, 0.0)
    return matrix


def _cells(half: str, size: int, diagonal: bool) -> tuple[np.ndarray, np.ndarray]:
    offset = 0 if diagonal else 1
    return np.triu_indices(size, offset) if half == "upper" else np.tril_indices(size, -offset)


def _has_lines_of(rows: list[list[float]], half: str) -> bool:
    """Whether the lines are the rows of this half: one number more, or less, on each."""
    lengths = [len(row) for row in rows]
    shape = list(range(lengths[0], lengths[0] + len(rows))) if half == "lower" else list(
        range(lengths[0], lengths[0] - len(rows), -1)
    )  # fmt: skip
    return len(rows) > 1 and lengths == shape


def _has_diagonal_of(numbers: np.ndarray, half: str, other: str, size: int) -> bool:
    """Whether the numbers have zeros on the diagonal of the other half and others on that of this one."""
    own, foreign = (
        numbers[np.equal(*_cells(which, size, True))] for which in (half, other)
    )  # fmt: skip
    return bool((own != 0).any() and (foreign == 0).all())


def _symmetric(matrix: np.ndarray, lines: list[tuple[Place, list[str]]]) -> np.ndarray:
    wrong = np.argwhere(~np.isclose(matrix, matrix.T, rtol=1e-9, atol=1e-9))
    if len(wrong):
        i, j = wrong[0]
        ends = np.cumsum([len(words) for _, words in lines])
        place = lines[int(np.searchsorted(ends, i * len(matrix) + j, side="right"))][0]
        raise place.refusal(
            f"the matrix is asymmetric, {matrix[i, j]:g} from city {i + 1} to {j + 1} and"
            f" {matrix[j, i]:g} back; only symmetric TSP is supported"
        )
    np.fill_diagonal(matrix, 0.0)
    return matrix
