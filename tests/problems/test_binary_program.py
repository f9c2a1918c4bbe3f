"""0-1 programs from files: what is binary is taken as it is, everything else is refused."""

import numpy as np
import pytest

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems import BinaryProgram


@pytest.fixture
def read(tmp_path):
    def read_text(text, suffix="lp"):
        path = tmp_path / f"t.{suffix}"
        path.write_text(text)
        return BinaryProgram.from_mps(path)

    return read_text


def lp(objective, rest, sense="Minimize"):
    return f"{sense}\n obj: {objective}\nSubject To\n c1: b + a <= 2\n{rest}End\n"


def test_columns_keep_their_names_and_costs(read):
    """LP files list columns by first appearance: names say which is which; a constant is dropped."""
    problem = read(lp("0 c + 3 b + 2 a + 7", "Binary\n a b c\n"))
    assert problem.names == ("c", "b", "a")
    assert problem.costs.tolist() == [0, 3, 2]


def test_maximisation_is_negated(read):
    """Costs are always to be minimised."""
    assert read(lp("3 b - 2 a", "Binary\n a b\n", "Maximize")).costs.tolist() == [-3, 2]


@pytest.mark.parametrize(
    ("rest", "decision"),
    [
        ("Bounds\n a <= 0.5\n b <= 1\nGeneral\n a b\n", [1, 0]),
        ("Bounds\n a >= 0.2\n a <= 1\n b <= 0.9\nGeneral\n a b\n", [0, 1]),
        ("Bounds\n -0.5 <= a <= 1.5\n b = 0\nBinary\n a b\n", [0, 1]),
        ("Bounds\n a = 0\nBinary\n a b\n", [1, 0]),
    ],
)
def test_bounds_within_0_and_1_fix_variables(read, rest, decision):
    """a <= 0.5 means a = 0, a >= 0.2 means a = 1; b stands first in the file."""
    assert read(lp("- b - 2 a", rest)).solve().decision.tolist() == decision


@pytest.mark.parametrize(
    ("objective", "rest", "message"),
    [
        ("b + a", "Binary\n a\n", "Variable b is not binary"),
        ("b + a", "Bounds\n b <= 2\nGeneral\n a b\n", "Variable b is not binary"),
        ("b + a", "Bounds\n -1 <= b <= 1\n a <= 1\nGeneral\n a b\n", "Variable b is not binary"),
        ("b + a + [ - 8 a * b ] / 2", "Binary\n a b\n", "a quadratic term in b and a"),
    ],
)
def test_other_programs_are_refused_by_the_name_of_a_variable(read, objective, rest, message):
    """Continuous and general integer variables, and quadratic objectives."""
    with pytest.raises(InvalidInstanceError, match=message):
        read(lp(objective, rest))


def test_a_file_without_rows_is_read(read):
    """Then every 0-1 vector is feasible."""
    problem = read(
        "NAME T\nROWS\n N COST\nCOLUMNS\n X COST -1\n Y COST 2\nRHS\nBOUNDS\n BV X\n BV Y\nENDATA\n", "mps"
    )
    assert problem.solve().decision.tolist() == [1, 0]
    assert np.shape(problem.polytope().A)[0] == 0
