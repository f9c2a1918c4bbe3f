"""TSPLIB files in every weight type and format become the matrix they describe, or a clear refusal."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from diffcomb.data import read_tsplib, tsplib_optima
from diffcomb.errors import InvalidInstanceError
from diffcomb.problems import TravelingSalesman

_MATRIX = np.array([[0, 3, 5, 7], [3, 0, 4, 6], [5, 4, 0, 2], [7, 6, 2, 0]])
_I, _J = np.triu_indices(4)
_K, _L = np.triu_indices(4, 1)
_TI, _TJ = np.tril_indices(4)
_TK, _TL = np.tril_indices(4, -1)
_EXPLICIT = {
    "FULL_MATRIX": _MATRIX.ravel(),
    "UPPER_ROW": _MATRIX[_K, _L],
    "LOWER_ROW": _MATRIX[_TK, _TL],
    "UPPER_DIAG_ROW": _MATRIX[_I, _J],
    "LOWER_DIAG_ROW": _MATRIX[_TI, _TJ],
    "UPPER_COL": _MATRIX[_TK, _TL],
    "LOWER_COL": _MATRIX[_K, _L],
    "UPPER_DIAG_COL": _MATRIX[_TI, _TJ],
    "LOWER_DIAG_COL": _MATRIX[_I, _J],
}


def write(folder: Path, *lines: str) -> Path:
    path = folder / "instance.tsp"
    path.write_text("\n".join(["NAME: instance", *lines, "EOF", ""]))
    return path


def explicit(folder: Path, weight_format: str, weights: list[int], kind: str = "TSP", n: int = 4) -> Path:
    header = [f"TYPE: {kind}", f"DIMENSION: {n}", "EDGE_WEIGHT_TYPE: EXPLICIT"]
    numbers = " ".join(map(str, weights))
    return write(folder, *header, f"EDGE_WEIGHT_FORMAT: {weight_format}", "EDGE_WEIGHT_SECTION", numbers)


@pytest.mark.parametrize("weight_format", _EXPLICIT)
def test_explicit_formats_give_the_same_matrix(tmp_path, weight_format):
    """Nine layouts of one symmetric matrix."""
    path = explicit(tmp_path, weight_format, _EXPLICIT[weight_format].tolist())
    assert np.array_equal(read_tsplib(path).distances, _MATRIX)


@pytest.mark.parametrize(
    ("weight_type", "distance"),
    [("EUC_2D", 5), ("CEIL_2D", 5), ("MAN_2D", 7), ("MAX_2D", 4), ("ATT", 2)],
)
def test_coordinate_types(tmp_path, weight_type, distance):
    """The 3-4-5 triangle in each plane metric; positions are kept for pictures."""
    header = ["TYPE: TSP", "DIMENSION: 3", f"EDGE_WEIGHT_TYPE: {weight_type}"]
    path = write(tmp_path, *header, "NODE_COORD_SECTION", "1 0 0", "2 3 4", "3 3 0")
    instance = read_tsplib(path)
    assert instance.distances[0, 1] == distance
    assert instance.coordinates.tolist() == [[0, 0], [3, 4], [3, 0]]


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ("truncated", "not a readable"),
        ("asymmetric", "asymmetric"),
        ("ATSP", "ATSP"),
        ("letters", "not a readable"),
    ],
)
def test_bad_files_are_refused_in_words(tmp_path, problem, message):
    """Truncated, asymmetric and garbled files raise one InvalidInstanceError that says why."""
    skewed = _MATRIX.copy()
    skewed[0, 1] = 9
    path = {
        "truncated": lambda: explicit(tmp_path, "UPPER_ROW", [1, 2, 3]),
        "asymmetric": lambda: explicit(tmp_path, "FULL_MATRIX", skewed.ravel().tolist()),
        "ATSP": lambda: explicit(tmp_path, "FULL_MATRIX", skewed.ravel().tolist(), kind="ATSP"),
        "letters": lambda: explicit(tmp_path, "UPPER_ROW", ["a", "b", "c", "d", "e", "f"]),
    }[problem]()
    with pytest.raises(InvalidInstanceError, match=message):
        TravelingSalesman.from_tsplib(path)


def test_fixed_edges_are_read(tmp_path):
    """FIXED_EDGES become pairs of cities of the problem, counted from 0."""
    header = ["TYPE: TSP", "DIMENSION: 3", "EDGE_WEIGHT_TYPE: EUC_2D", "FIXED_EDGES_SECTION", "1 3", "-1"]
    path = write(tmp_path, *header, "NODE_COORD_SECTION", "1 0 0", "2 3 4", "3 3 0")
    assert read_tsplib(path).fixed_edges == ((0, 2),)
    assert TravelingSalesman.from_tsplib(path).fixed_edges.tolist() == [1]


def test_files_of_the_library():
    """A sample of the real files has the published number of cities and finite costs."""
    folder = Path(os.environ.get("DIFFCOMB_DATA", "data")) / "tsplib"
    if not folder.is_dir():
        pytest.skip("needs TSPLIB in DIFFCOMB_DATA")
    assert tsplib_optima()["gr17"] == 2085
    for name, cities in (("ulysses16", 16), ("gr24", 24), ("si175", 175), ("brg180", 180), ("att48", 48)):
        problem = TravelingSalesman.from_tsplib(folder / f"{name}.tsp")
        assert problem.num_cities == cities
        assert bool(torch.isfinite(problem.costs).all())
