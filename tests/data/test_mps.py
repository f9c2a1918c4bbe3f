"""MPS files become the model they describe, or are refused with line and reason."""

import numpy as np
import pytest

from diffcomb.data import read_model
from diffcomb.errors import InfeasibleError, InvalidInstanceError

COLUMNS = (
    "    X         COST      1.0   R1        1.0\n"
    "    Y         COST      2.0   R1        1.0\n"
    "    Z         COST      -3.0  R1        1.0\n"
)
ORG = "    M1        'MARKER'                 'INTORG'\n"
END = "    M2        'MARKER'                 'INTEND'\n"


def mps(rows=" L  R1\n", columns=COLUMNS, rhs="    RHS       R1        2.0\n", bounds="", pre="", post=""):
    """A file whose parts can be changed; R1 starts on line 4, X on line 6, the bounds on line 12."""
    sections = f"NAME          T\n{pre}ROWS\n N  COST\n{rows}COLUMNS\n{columns}RHS\n{rhs}"
    return f"{sections}BOUNDS\n{bounds}{post}ENDATA\n"


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        (tmp_path / "t.mps").write_text(text)
        return read_model(tmp_path / "t.mps")

    return read_text


def test_a_model_of_every_kind_of_row(read):
    """E, L, G with and without ranges, free rows, sense, constant, names and a quadratic objective."""
    rows = " L  R1\n G  R2\n E  R3\n E  R4\n N  FREE\n L  R5\n"
    columns = (
        "    X         COST      1.0   R1        1.0\n    X         R2        2.0   FREE      9.0\n"
        "    Y         R3        3.0   R4        1.0\n    Y         R5        1.0\n"
    )
    rhs = "    RHS       R1        4.0   R2        1.0\n    RHS       R3        6.0   COST      5.0\n"
    rhs += "    RHS       R5        1e30\n"
    ranges = "RANGES\n    RNG       R1        -3.0  R4        -2.0\n"
    model = read(
        mps(rows, columns, rhs + ranges, pre="OBJSENSE\n    MAX\n", post="QUADOBJ\n    Y X 1.0\n    Y Y 2\n")
    )
    assert (model.names, model.sense, model.constant) == (("X", "Y"), "max", -5.0)
    assert model.costs.tolist() == [1, 0]
    assert model.Q.toarray().tolist() == [[0, 1], [1, 2]]
    assert (model.A.toarray().tolist(), model.b.tolist()) == ([[0, 3]], [6])
    assert model.equality_names == ("R3",)
    assert model.G.toarray().tolist() == [[1, 0], [0, 1], [-1, 0], [-2, 0], [0, -1]]
    assert model.h.tolist() == [4, 0, -1, -1, 2]
    assert model.inequality_names == ("R1", "R4", "R1", "R2", "R4")
    assert (model.lower.tolist(), model.upper.tolist()) == ([0, 0], [np.inf, np.inf])
    assert not model.integer.any()


@pytest.mark.parametrize(
    ("bounds", "lower", "upper", "integer"),
    [
        ("", [0, 0, 0], [np.inf] * 3, [0, 0, 0]),
        (" UP BND X 4\n LO BND X -1\n", [-1, 0, 0], [4, np.inf, np.inf], [0, 0, 0]),
        (
            " MI BND X\n UP BND X -4\n FR BND Y\n PL BND Z\n",
            [-np.inf, -np.inf, 0],
            [-4, np.inf, np.inf],
            [0, 0, 0],
        ),
        (" FX BND X 2\n BV BND Y\n UI BND Z 7\n", [2, 0, 0], [2, 1, 7], [0, 1, 1]),
        (" BV X\n LI Y 2\n UP Z 1e25\n", [0, 2, 0], [1, np.inf, np.inf], [1, 1, 0]),
        (
            " UP BND X Inf\n LO BND Y -1e20\n UP BND Z 1.5D1\n",
            [0, -np.inf, 0],
            [np.inf, np.inf, 15],
            [0, 0, 0],
        ),
        (" LI BND X 0.2\n UI BND X 2.9\n BV BND Z 1\n", [1, 0, 0], [2, np.inf, 1], [1, 0, 1]),
    ],
)
def test_bounds(read, bounds, lower, upper, integer):
    """Every type, with and without a set's name; those of integers move inwards to whole numbers."""
    model = read(mps(bounds=bounds))
    assert model.lower.tolist() == lower
    assert model.upper.tolist() == upper
    assert model.integer.tolist() == [bool(i) for i in integer]


def test_integer_columns_without_bounds_are_binary(read):
    """Between markers: 0..1 where no bound is given, no upper bound where only a lower one is."""
    model = read(mps(columns=ORG + COLUMNS + END, bounds=" LO BND Y 2\n UP BND Z 5\n"))
    assert model.integer.all()
    assert model.lower.tolist() == [0, 2, 0]
    assert model.upper.tolist() == [1, np.inf, 5]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"columns": COLUMNS + "    Z  R1  1.0\n"}, "line 9: column Z has a second entry in row R1"),
        ({"columns": COLUMNS + "    Z  COST  1.0\n"}, "line 9: column Z has a second entry in row COST"),
        ({"columns": COLUMNS + "    X  R1  1.0\n"}, "line 9: column X again"),
        ({"columns": COLUMNS + "    Z  RX  1.0\n"}, "line 9: row 'RX' is not one of ROWS"),
        ({"columns": COLUMNS + "    Z  R1\n"}, "line 9: expected rows and values in turn"),
        ({"columns": COLUMNS + "    W  R1  nan\n"}, "line 9: 'nan' is not a number"),
        ({"columns": COLUMNS + "    W  R1  1e999\n"}, "line 9: '1e999' is beyond double precision"),
        ({"columns": COLUMNS + "    W  R1  0x10\n"}, "line 9: '0x10' is not a number"),
        ({"columns": COLUMNS + "    W  R1  inf\n"}, "line 9: 'inf' is not a number"),
        ({"columns": COLUMNS + "    a name  R1  1.0\n"}, "line 9: .*, names without blanks"),
        ({"columns": ORG + COLUMNS}, "line 6: INTORG without INTEND"),
        ({"columns": COLUMNS + END}, "line 9: markers of integer columns are INTORG and INTEND in turn"),
        ({"rows": " L  R1\n G  R1\n"}, "line 5: a second row R1"),
        ({"rows": " Q  R1\n"}, "line 4: a row is a type"),
        ({"rhs": "    RHS  RX  2.0\n"}, "line 10: row 'RX' is not one of ROWS"),
        ({"rhs": "    RHS  R1  2.0  R1  1.0\n"}, "line 10: a second right-hand side of row R1"),
        ({"rhs": "    RHS  R1  2.0\n    B  COST  1.0\n"}, "line 11: RHS has a second set 'B'"),
        ({"rhs": "    RHS  R1  2.0\nRHS\n"}, "line 11: a second section RHS"),
        (
            {"rhs": "    RHS  R1  2.0\nRANGES\n    RNG  R1  1\n    RNG  R1  1\n"},
            "line 13: a second range of row R1",
        ),
        ({"rhs": "    RHS  R1  2.0\nRANGES\n    RNG  COST  1\n"}, "line 12: row COST is free"),
        ({"bounds": " UP BND W 3\n"}, "line 12: a bound of column 'W', which COLUMNS does not have"),
        ({"bounds": " XX BND X 3\n"}, "line 12: bound type 'XX' is not supported"),
        ({"bounds": " SC BND X 3\n"}, "line 12: bound type 'SC' is not supported"),
        ({"bounds": " UP BND X\n"}, "line 12: 'X' is not a number|line 12: a bound"),
        ({"bounds": " UP BND X 3\n UP BND X 2\n"}, "line 13: a second bound of column X"),
        ({"bounds": " BV BND X\n UP BND X 2\n"}, "line 13: a second bound of column X"),
        ({"bounds": " UP BND X 3\n UP OTHER Y 2\n"}, "line 13: BOUNDS has a second set 'OTHER'"),
        ({"bounds": " UP BND X -3\n"}, "line 12: a negative upper bound without a lower one"),
        ({"pre": "OBJSENSE\n    FOO\n"}, "line 3: OBJSENSE is one word, MIN or MAX"),
        ({"pre": "OBJSENSE MAX\n", "post": "OBJSENSE MAX\n"}, "a second section OBJSENSE"),
        ({"post": "OBJNAME\n    COST\n"}, "line 13: OBJNAME is the name of one row"),
        ({"post": "QUADOBJ\n    X  W  1.0\n"}, "line 13: a quadratic entry is two columns and a value"),
        ({"post": "QUADOBJ\n    X  Y  1.0\n    Y  X  1.0\n"}, "line 14: this product .* a second time"),
        ({"post": "QMATRIX\n    X  Y  1.0\n"}, "QMATRIX is not symmetric"),
        ({"post": "QCMATRIX R1\n    X  Y  1.0\n"}, "line 12: section 'QCMATRIX' is not supported"),
        ({"post": "SOS\n S1 SOS  s1\n"}, "line 12: section 'SOS' is not supported"),
        ({"post": "INDICATORS\n IF R1 X 1\n"}, "line 12: section 'INDICATORS' is not supported"),
        ({"rows": " L  R1\nLAZYCONS\n L  R2\n"}, "line 5: section 'LAZYCONS' is not supported"),
        ({"post": "X  R1  1.0\n"}, "line 12: section 'X' is not supported"),
        ({"post": "ENDATA\nmore\n"}, "line 13: text behind ENDATA"),
    ],
)
def test_what_is_not_in_the_format_or_read_in_two_ways_is_refused(read, parts, message):
    """Nothing is left out without a word: entries twice, unknown names, sections, types, numbers."""
    with pytest.raises(InvalidInstanceError, match=message):
        read(mps(**parts))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ENDATA\n", "", "ends without ENDATA"),
        ("COLUMNS\n", "", "line 5: a row is a type"),
        ("ROWS\n", "", "line 2: data outside of any section"),
        ("RHS\n", "", "no section RHS, but a last column RHS"),
        (" N  COST\n", "", "'COST' is not one of ROWS"),
    ],
)
def test_missing_parts_are_noticed(read, old, new, message):
    """Headers that got lost turn data into rows or columns of other sections."""
    with pytest.raises(InvalidInstanceError, match=message):
        read(mps().replace(old, new, 1))


@pytest.mark.parametrize("bounds", [" LI BND X 3\n UI BND X 2\n", " LI BND X 0.2\n UI BND X 0.8\n"])
def test_bounds_that_exclude_each_other_are_infeasible(read, bounds):
    """3 <= x <= 2, and 0.2 <= x <= 0.8 for an integer: the variable is named."""
    with pytest.raises(InfeasibleError, match=r"t\.mps: variable X must lie between"):
        read(mps(bounds=bounds))


def test_the_objective_is_the_first_free_row_or_the_one_named(read):
    """OBJNAME chooses among rows of type N; other free rows are left out."""
    rows, columns = " N  OTHER\n L  R1\n", "    X  COST  1.0  OTHER  7.0\n    X  R1  1.0\n"
    assert read(mps(rows, columns)).costs.tolist() == [1]
    assert read(mps(rows, columns, pre="OBJNAME\n    OTHER\n")).costs.tolist() == [7]
    with pytest.raises(InvalidInstanceError, match="row 'R1' is not a row of type N"):
        read(mps(rows, columns, pre="OBJNAME\n    R1\n"))
