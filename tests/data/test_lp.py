"""LP files become the model they describe, or are refused with line and reason."""

import gzip

import numpy as np
import pytest

from diffcomb.data import read_model
from diffcomb.errors import InfeasibleError, InvalidInstanceError


def lp(objective="x + 2 y", rows="c1: x + y >= 1", rest="Binary\n x y\n"):
    """A file whose parts can be changed; the row stands on line 4, the rest starts on line 5."""
    return f"Minimize\n obj: {objective}\nSubject To\n {rows}\n{rest}End\n"


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        (tmp_path / "t.lp").write_text(text)
        return read_model(tmp_path / "t.lp")

    return read_text


def test_a_model_of_every_kind(read):
    """Columns by first appearance, sense, constant, quadratic terms, free and fixed variables, types."""
    model = read(
        "\\ a comment\nMaximize\n obj: 3 b - a + 4 + [ 2 a ^2 - 4 a * b ] / 2\nSubject To\n"
        " up: a + b <= 7\n down: 2 a - c >= -1\n even: c = 2\n unlimited: a <= 1e30\n"
        "Bounds\n c free\n -1 <= a <= 2.5\n b >= 1\nGeneral\n a\nEnd\n"
    )
    assert (model.names, model.sense, model.constant) == (("b", "a", "c"), "max", 4)
    assert model.costs.tolist() == [3, -1, 0]
    assert model.Q.toarray().tolist() == [[0, -2, 0], [-2, 2, 0], [0, 0, 0]]
    assert (model.A.toarray().tolist(), model.b.tolist(), model.equality_names) == (
        [[0, 0, 1]],
        [2],
        ("even",),
    )
    assert model.G.toarray().tolist() == [[1, 1, 0], [0, -2, 1]]
    assert (model.h.tolist(), model.inequality_names) == ([7, 1], ("up", "down"))
    assert model.lower.tolist() == [1, -1, -np.inf]
    assert model.upper.tolist() == [np.inf, 2, np.inf]
    assert model.integer.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("rest", "lower", "upper"),
    [
        ("Bounds\n x <= 0.5\nBinary\n x\n", 0, 0),
        ("Bounds\n x >= 0.2\nBinary\n x\n", 1, 1),
        ("Bounds\n x <= 5\nBinary\n x\n", 0, 1),
        ("Bounds\n x >= -1\nBinary\n x\n", 0, 1),
        ("Binary\n x\nBounds\n x <= 5\n", 0, 1),
        ("Bounds\n x >= 0.2\n x <= 2.7\nInteger\n x\n", 1, 2),
        ("Bounds\n x <= 0.9999999999\nGeneral\n x\n", 0, 1),
        ("Bounds\n 3 >= x >= 1\nGenerals x\n", 1, 3),
    ],
)
def test_bounds_of_integers_mean_whole_numbers(read, rest, lower, upper):
    """A bound inside (0, 1) fixes a binary variable, and a binary one stays between 0 and 1."""
    model = read(lp(rest=rest))
    assert (model.lower[0], model.upper[0], model.integer[0]) == (lower, upper, True)


@pytest.mark.parametrize("rest", ["Bounds\n x <= -1\nBinary\n x\n", "Bounds\n 0.2 <= x <= 0.8\nBinary\n x\n"])
def test_empty_bounds_are_infeasible(read, rest):
    """x <= -1 or 0.2 <= x <= 0.8 for a binary variable: the variable is named."""
    with pytest.raises(InfeasibleError, match=r"t\.lp: variable x must lie between"):
        read(lp(rest=rest))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lp(rows="c1: x + y - 1 >= 1"), "line 4: a constant on the left-hand side"),
        (lp(rows="c1: x + y + x >= 1"), "line 4: variable `x` appears more than once"),
        (lp(rows="c1: x >= y"), "line 4: expected a number, found `y`"),
        (lp(rows="c1: -1 <= x - y <= 1"), "line 4: expected a number"),
        (lp(rows="c1: x + [ 2 x * y ] <= 2"), "line 4: quadratic constraints are not supported"),
        (lp(rows="c1: x = 1 -> y <= 0"), "line 4: indicator constraints are not supported"),
        (lp(rows="c1: x + 1e-12 y >= 1"), "ignored"),
        (lp(rows="c1: x + 1e16 y >= 1"), "tolerance"),
        (lp(rows="c1: x + 1,5 y >= 1"), "line 4: expected"),
        (lp(rows="c1: x + y >= 1\n c2: 5 >= 3"), "line 5: a constant"),
        (lp(rows="c1: x + y >= 1\n c2: 0 x >= 3"), "row c2 has no variables"),
        (lp(rows="c1: x + y >= inf"), "inf"),
        (lp("x + 1e30 y"), "objective of t.lp has a coefficient that is not finite"),
        (lp(rest="SOS\n s1: S1:: x:1 y:2\n"), "line 5: SOS constraints are not supported"),
        (lp(rest="Bounds\n x <= 3\nSemi-continuous\n x\n"), "variable x is semi-continuous"),
        (lp(rest="Bounds\n x <= nan\n"), "line 6: expected a number"),
        (lp(rest="Bounds\n z <= 3\n"), "variable z stands in Bounds .* write 0 z into the objective"),
        (lp(rest="Binary\n x z\n"), "variable z stands in Bounds"),
        (lp(rest="Bounds\n x[1] <= 3\n"), r"variable x\[1\] stands in Bounds"),
        (lp(rest="Lazy Constraints\n l: x <= 1\n"), "line 5: expected"),
        (lp()[:-4], "line 6: expected `end`"),
        (lp() + "more\n", "line 8: expected end of file"),
        ("", "t.lp has no variables"),
    ],
)
def test_parts_that_would_be_left_out_are_refused(read, text, message):
    """Every warning of HiGHS is a refusal, with the line where it names one."""
    with pytest.raises(InvalidInstanceError, match=message):
        read(text)


def test_names_with_brackets_are_names(read):
    """x[1,a] as Gurobi writes it, in the objective, rows, bounds, squares and lists of types."""
    objective = "x[1,a] + 2 y - 3 z[2] + [ 2 z[2] ^ 2 ] / 2"
    rest = "Bounds\n z[2] <= 4\nBinary\n x[1,a] y\n"
    model = read(lp(objective, "r[0]: x[1,a]+z[2] <= 1", rest))
    assert model.names == ("x[1,a]", "y", "z[2]")
    assert model.inequality_names == ("r[0]",)
    assert model.upper.tolist() == [1, 1, 4]
    assert model.Q.toarray()[2, 2] == 2
    assert model.columns_named(["x[*]", "z[?]"]).tolist() == [0, 2]


def test_unused_variables_are_kept_where_the_objective_names_them(read):
    """0 z in the objective makes z a variable."""
    assert read(lp("x + 2 y + 0 z", rest="Bounds\n z <= 3\n")).names == ("x", "y", "z")


def test_compressed_files_and_other_suffixes(tmp_path):
    """.lp.gz is unpacked; a suffix that says neither .mps nor .lp is refused."""
    (tmp_path / "t.LP.gz").write_bytes(gzip.compress(lp().encode()))
    assert read_model(str(tmp_path / "t.LP.gz")).names == ("x", "y")
    with pytest.raises(InvalidInstanceError, match=r"t\.txt is neither an \.mps nor an \.lp file"):
        read_model(tmp_path / "t.txt")


def test_reading_says_nothing(read, capfd):
    """No banner and no warning of HiGHS on stdout or stderr."""
    read(lp())
    with pytest.raises(InvalidInstanceError):
        read(lp(rows="c1: x + y - 1 >= 1"))
    assert capfd.readouterr() == ("", "")
