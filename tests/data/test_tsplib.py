"""TSPLIB files in every weight type and format become the matrix they describe, or a clear refusal."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import tsplib95

from diffcomb.data import read_tsplib, tsplib_optima
from diffcomb.errors import InvalidInstanceError
from diffcomb.problems import TravelingSalesman

LIBRARY = Path(os.environ.get("DIFFCOMB_DATA", "data")) / "tsplib"
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
TRIANGLE = ["NODE_COORD_SECTION", "1 0 0", "2 3 4", "3 3 0"]
PLANE = ["TYPE: TSP", "DIMENSION: 3", "EDGE_WEIGHT_TYPE: EUC_2D", *TRIANGLE]


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
    instance = read_tsplib(write(tmp_path, *header, *TRIANGLE))
    assert instance.distances[0, 1] == distance
    assert instance.coordinates.tolist() == [[0, 0], [3, 4], [3, 0]]


@pytest.mark.parametrize("weight_type", ["EUC_3D", "MAN_3D", "MAX_3D", "XRAY1", "XRAY2"])
def test_types_in_space(tmp_path, weight_type):
    """Three coordinates a city, distances as tsplib95 has them."""
    points = [(1, 2, 3), (100.5, 80, 7), (359, 40, 33.25)]
    cities = [f"{k + 1} {x} {y} {z}" for k, (x, y, z) in enumerate(points)]
    header = ["TYPE: TSP", "DIMENSION: 3", f"EDGE_WEIGHT_TYPE: {weight_type}", "NODE_COORD_SECTION"]
    read = read_tsplib(write(tmp_path, *header, *cities))
    distance = tsplib95.distances.TYPES[weight_type]
    assert read.distances[0].tolist() == [0, distance(points[0], points[1]), distance(points[0], points[2])]
    assert read.coordinates.shape == (3, 2)


def test_halves_are_rounded_up(tmp_path):
    """TSPLIB's nint(2.5) is 3, where Python's round gives 2."""
    header = ["TYPE: TSP", "DIMENSION: 3", "EDGE_WEIGHT_TYPE: EUC_2D", "NODE_COORD_SECTION"]
    read = read_tsplib(write(tmp_path, *header, "1 0 0", "2 2.5 0", "3 0 0.5"))
    assert read.distances[0].tolist() == [0, 3, 1]


def geographical(a: tuple[float, float], b: tuple[float, float]) -> int:
    """The definition, word for word (Reinelt 1995)."""

    def radians(x: float) -> float:
        return 3.141592 * (int(x) + 5.0 * (x - int(x)) / 3.0) / 180.0

    (lat, lon), (lat2, lon2) = (tuple(map(radians, place)) for place in (a, b))
    q1, q2, q3 = math.cos(lon - lon2), math.cos(lat - lat2), math.cos(lat + lat2)
    return int(6378.388 * math.acos(0.5 * ((1.0 + q1) * q2 - (1.0 - q1) * q3)) + 1.0)


def test_geographical_distances_have_the_pi_of_the_definition(tmp_path):
    """Havana - Jakarta is 18237 km with pi = 3.141592 and 18236 with all digits; 60 places all agree."""
    rng = np.random.default_rng(0)
    places = [(21.55, -82.25), (-7.57, 106.05)]
    places += [
        (rng.integers(-80, 80) + rng.integers(60) / 100, rng.integers(-179, 179) + rng.integers(60) / 100)
        for _ in range(58)
    ]
    cities = [f"{k + 1} {lat:.2f} {lon:.2f}" for k, (lat, lon) in enumerate(places)]
    header = ["TYPE: TSP", "DIMENSION: 60", "EDGE_WEIGHT_TYPE: GEO", "NODE_COORD_SECTION"]
    read = read_tsplib(write(tmp_path, *header, *cities))
    assert read.distances[0, 1] == 18237
    points = read.coordinates.tolist()
    assert all(
        read.distances[i, j] == geographical(points[i], points[j]) for i in range(60) for j in range(i)
    )


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (
            "case",
            ["type : tsp", "dimension :3", "Edge_Weight_Type: euc_2d", "node_coord_section", *TRIANGLE[1:]],
        ),
        ("no colon", ["TYPE TSP", "DIMENSION 3", "EDGE_WEIGHT_TYPE EUC_2D", *TRIANGLE]),
        ("comments", ["COMMENT : x", "COMMENT : DIMENSION : 7", "COMMENT EDGE_WEIGHT_TYPE : ATT", *PLANE]),
        ("author", ["TYPE : TSP (M.~Hofmeister)", *PLANE[1:]]),
        ("order", [*TRIANGLE, *PLANE[:3]]),
        ("cities in any order", [*PLANE[:4], "3 3 0", "1 0 0", "2 3 4"]),
        ("from 0", [*PLANE[:4], "0 0 0", "1 3 4", "2 3 0"]),
        ("display", [*PLANE, "DISPLAY_DATA_TYPE: NO_DISPLAY", "NODE_COORD_TYPE: TWOD_COORDS"]),
        ("function", [*PLANE[:3], "EDGE_WEIGHT_FORMAT: FUNCTION", *PLANE[3:]]),
    ],
)
def test_one_triangle_in_many_hands(tmp_path, change, lines):
    """Case, colons, comments that name keywords, order: the same distances."""
    read = read_tsplib(write(tmp_path, *lines))
    assert read.distances.tolist() == [[0, 5, 3], [5, 0, 4], [3, 4, 0]]
    assert read.coordinates.tolist() == [[0, 0], [3, 4], [3, 0]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([*PLANE[:2], *TRIANGLE], "line 8: the file needs a line 'EDGE_WEIGHT_TYPE"),
        (PLANE[1:], "needs a line 'TYPE"),
        ([PLANE[0], *PLANE[2:]], "needs a line 'DIMENSION"),
        ([*PLANE, "DIMENSION: 3"], "line 9: a second line DIMENSION"),
        ([*PLANE, *TRIANGLE], "line 9: a second NODE_COORD_SECTION"),
        ([PLANE[0], "DIMENSION: 4", *PLANE[2:]], "line 8: DIMENSION is 4, but NODE_COORD_SECTION lists 3"),
        ([PLANE[0], "DIMENSION: 3.0", *PLANE[2:]], "line 3: '3.0' is not a whole number"),
        ([PLANE[0], "DIMENSION: 0", *PLANE[2:]], "line 3: DIMENSION must be from 1 to 20000"),
        ([PLANE[0], "DIMENSION: 99999999", *PLANE[2:]], "line 3: DIMENSION must be from 1 to 20000"),
        ([*PLANE[:2], "EDGE_WEIGHT_TYPE: EUC_4D", *TRIANGLE], "line 4: EDGE_WEIGHT_TYPE 'EUC_4D' is none of"),
        (
            [*PLANE[:2], "EDGE_WEIGHT_TYPE: EUC_2D up", *TRIANGLE],
            "line 4: EDGE_WEIGHT_TYPE 'EUC_2D up' is none",
        ),
        (
            [*PLANE[:2], "EDGE_WEIGHT_TYP: EUC_2D", *TRIANGLE],
            "line 4: 'EDGE_WEIGHT_TYP:' is neither a keyword",
        ),
        ([*PLANE[:2], "EDGE_WEIGHT_TYPE: EUC_3D", *TRIANGLE], "line 6: a city is a number and 3 coordinates"),
        (
            [*PLANE[:2], "EDGE_WEIGHT_TYPE: GEO", *PLANE[3:5], "2 95 4", "3 3 0"],
            "line 7: GEO needs a latitude",
        ),
        (
            [*PLANE[:2], "EDGE_WEIGHT_TYPE: EXPLICIT", *TRIANGLE],
            "explicit weights need an EDGE_WEIGHT_SECTION",
        ),
        ([*PLANE, "EDGE_WEIGHT_SECTION", "1 2 3"], "EUC_2D and an EDGE_WEIGHT_SECTION contradict"),
        (
            [*PLANE, "EDGE_WEIGHT_FORMAT: UPPER_ROW"],
            "line 9: EDGE_WEIGHT_FORMAT UPPER_ROW and weights EUC_2D",
        ),
        ([*PLANE, "NODE_COORD_TYPE: THREED_COORDS"], "line 9: NODE_COORD_TYPE THREED_COORDS does not fit"),
        (PLANE[:3], "line 4: EUC_2D needs a NODE_COORD_SECTION"),
        ([*PLANE[:5], "2 3 4 9", "3 3 0"], "line 7: a city is a number and 2 coordinates, found 4 words"),
        ([*PLANE[:5], "1 3 4", "3 3 0"], "line 7: city 1 comes twice"),
        ([*PLANE[:5], "7 3 4", "3 3 0"], "line 7: NODE_COORD_SECTION must number its cities from 1 to 3"),
        ([*PLANE[:5], "2 nan 4", "3 3 0"], "line 7: 'nan' is not a number"),
        ([*PLANE[:5], "2 1e200 4", "3 3 0"], r"line 4: distances beyond 2\^53"),
        ([*PLANE, "CAPACITY: 3"], "line 9: CAPACITY has no meaning in a TSP"),
        ([*PLANE, "DEMAND_SECTION", "1 3"], "DEMAND_SECTION has no meaning in a TSP"),
        ([*PLANE, "EOF", "1 2 3"], "line 10: text behind EOF"),
        ([*PLANE[:3], "1 2 3", *TRIANGLE], "line 5: data '1 2 3' outside of any section"),
        (
            [*PLANE, "FIXED_EDGES_SECTION", "1 2"],
            "FIXED_EDGES_SECTION lists pairs of cities and ends with -1",
        ),
        ([*PLANE, "FIXED_EDGES_SECTION", "-1"], "FIXED_EDGES_SECTION lists pairs of cities and ends with -1"),
        ([*PLANE, "FIXED_EDGES_SECTION", "1 4 -1"], "line 10: a fixed edge names city 4, cities are 1 to 3"),
        (
            [*PLANE, "FIXED_EDGES_SECTION", "2 2 -1"],
            "line 10: the fixed edge of 2 and 2 joins a city to itself",
        ),
        ([*PLANE, "FIXED_EDGES_SECTION", "1 2", "2 1", "-1"], "line 11: .* comes a second time"),
        ([*PLANE, "FIXED_EDGES_SECTION", "1 2.5 -1"], "line 10: '2.5' is not a whole number"),
        ([*PLANE, "FIXED_EDGE_SECTION", "1 2", "-1"], "line 9: 'FIXED_EDGE_SECTION' is neither a keyword"),
    ],
)
def test_header_and_data_that_do_not_fit_are_refused(tmp_path, lines, message):
    """One InvalidInstanceError with file, line and reason."""
    with pytest.raises(
        InvalidInstanceError, match=f"instance.tsp, {message}" if message[:4] == "line" else message
    ):
        read_tsplib(write(tmp_path, *lines))


@pytest.mark.parametrize(
    ("weight_format", "weights", "message"),
    [
        ("UPPER_ROW", [1, 2, 3], "UPPER_ROW of 4 cities has 6 weights, the section lists 3"),
        ("UPPER_ROW", _EXPLICIT["LOWER_DIAG_ROW"].tolist(), "has 6 weights, the section lists 10"),
        (
            "UPPER_DIAG_ROW",
            _EXPLICIT["LOWER_DIAG_ROW"].tolist(),
            "says UPPER_DIAG_ROW, but .* the other half",
        ),
        (
            "LOWER_DIAG_ROW",
            _EXPLICIT["UPPER_DIAG_ROW"].tolist(),
            "says LOWER_DIAG_ROW, but .* the other half",
        ),
        (
            "UPPER_ROW",
            ["3\n5", "4\n7", "6", "2"],
            "says UPPER_ROW, but the weights are those of the other half",
        ),
        (
            "LOWER_ROW",
            ["3", "5", "7\n4", "6\n2"],
            "says LOWER_ROW, but the weights are those of the other half",
        ),
        ("UPPER_ROW", ["a", "b"], "line 7: 'a' is neither a keyword of TSPLIB nor a number"),
        ("UPPER_ROW", [1, 2, 3, 4, 5, "inf"], "line 7: 'inf' is not a number"),
        ("UPPER_ROWS", [1], "line 5: EDGE_WEIGHT_FORMAT 'UPPER_ROWS' is none of"),
        (
            "FULL_MATRIX",
            (_MATRIX + np.tri(4)).ravel().tolist(),
            "line 7: the matrix is asymmetric, 3 from city 1",
        ),
    ],
)
def test_matrices_that_do_not_fit_their_format_are_refused(tmp_path, weight_format, weights, message):
    """Wrong counts, the other half of the matrix (by its lines or its diagonal), asymmetry."""
    with pytest.raises(InvalidInstanceError, match=message):
        read_tsplib(explicit(tmp_path, weight_format, weights))


@pytest.mark.parametrize("kind", ["ATSP", "CVRP", "TOUR", "TSPX"])
def test_other_kinds_of_problem_are_refused(tmp_path, kind):
    """Only TYPE: TSP is read."""
    with pytest.raises(InvalidInstanceError, match=f"line 2: TYPE {kind}; only symmetric TSP"):
        TravelingSalesman.from_tsplib(explicit(tmp_path, "FULL_MATRIX", _MATRIX.ravel().tolist(), kind=kind))


def test_fixed_edges_are_read(tmp_path):
    """FIXED_EDGES become pairs of cities of the problem, counted from 0."""
    header = ["TYPE: TSP", "DIMENSION: 3", "EDGE_WEIGHT_TYPE: EUC_2D", "FIXED_EDGES_SECTION", "1 3", "-1"]
    path = write(tmp_path, *header, *TRIANGLE)
    assert read_tsplib(path).fixed_edges == ((0, 2),)
    assert TravelingSalesman.from_tsplib(path).fixed_edges.tolist() == [1]


@pytest.mark.parametrize("weight_format", ["UPPER_ROW", "FULL_MATRIX"])
def test_fixed_edges_of_matrices_count_from_1(tmp_path, weight_format):
    """Also the edge with the last city, and with positions for pictures behind the weights."""
    path = explicit(tmp_path, weight_format, _EXPLICIT[weight_format].tolist())
    fixed = "FIXED_EDGES_SECTION\n1 4 2 3\n-1\n"
    shown = "DISPLAY_DATA_SECTION\n" + "".join(f"{k} {k} 0\n" for k in range(1, 5))
    for more in (fixed, fixed + shown, shown + fixed):
        path.write_text(
            path.read_text().split("FIXED")[0].split("DISPLAY")[0].replace("EOF\n", "") + more + "EOF\n"
        )
        assert read_tsplib(path).fixed_edges == ((0, 3), (1, 2))
    assert read_tsplib(path).coordinates[:, 0].tolist() == [1, 2, 3, 4]


def test_published_files_are_read_as_tsplib95_reads_them():
    """But for its pi and its FIXED_EDGES of matrices; a sample of pairs of every file."""
    if not LIBRARY.is_dir():
        pytest.skip("needs TSPLIB in DIFFCOMB_DATA")
    rng = np.random.default_rng(0)
    for path in sorted(LIBRARY.glob("*.tsp")):
        read, other = read_tsplib(path), tsplib95.load(str(path))
        cities = list(other.get_nodes())
        assert len(read.distances) == other.dimension
        if other.edge_weight_type != "GEO":
            for i, j in rng.integers(0, len(cities), (200, 2)).tolist():
                assert i == j or read.distances[i, j] == other.get_weight(cities[i], cities[j])


@pytest.mark.parametrize("name", ["gr137", "gr202", "gr229", "gr96"])
def test_published_geographical_files_follow_the_definition(name):
    """These four have distances that are off by one with another pi."""
    if not LIBRARY.is_dir():
        pytest.skip("needs TSPLIB in DIFFCOMB_DATA")
    read = read_tsplib(LIBRARY / f"{name}.tsp")
    points = read.coordinates.tolist()
    assert all(
        read.distances[i, j] == geographical(points[i], points[j])
        for i in range(len(points))
        for j in range(i)
    )


def test_files_of_the_library():
    """A sample of the real files has the published number of cities and finite costs."""
    if not LIBRARY.is_dir():
        pytest.skip("needs TSPLIB in DIFFCOMB_DATA")
    assert tsplib_optima()["gr17"] == 2085
    for name, cities in (("ulysses16", 16), ("gr24", 24), ("si175", 175), ("brg180", 180), ("att48", 48)):
        problem = TravelingSalesman.from_tsplib(LIBRARY / f"{name}.tsp")
        assert problem.num_cities == cities
        assert bool(torch.isfinite(problem.costs).all())
