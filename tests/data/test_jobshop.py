"""Reading job-shop files, and refusing broken ones with the line that is wrong."""

import numpy as np
import pytest

from diffcomb.data import read_jobshop
from diffcomb.errors import InvalidInstanceError

GOOD = "# a comment\n2 3\n0 4 1 5 2 6\n2 1 0 2 1 3\n"


def _write(tmp_path, text):
    path = tmp_path / "shop.txt"
    path.write_text(text)
    return path


def test_standard_format(tmp_path):
    """Pairs of machine and duration, machines from 0."""
    read = read_jobshop(_write(tmp_path, GOOD))
    assert read.name == "shop"
    assert read.machines.tolist() == [[0, 1, 2], [2, 0, 1]]
    assert read.durations.tolist() == [[4, 5, 6], [1, 2, 3]]


@pytest.mark.parametrize("captions", [True, False])
def test_two_matrices_of_taillard_are_the_same_instance(tmp_path, captions):
    """Durations, then machines from 1, with or without captions."""
    times, machines = ("Times\n", "Machines\n") if captions else ("", "")
    text = f"2 3 840612802 398197754 9 9\n{times}4 5 6\n1 2 3\n{machines}1 2 3\n3 1 2\n"
    read = read_jobshop(_write(tmp_path, text))
    expected = read_jobshop(_write(tmp_path, GOOD))
    assert np.array_equal(read.machines, expected.machines)
    assert np.array_equal(read.durations, expected.durations)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not start"),
        ("2 3\n0 4 1 5 2 6\n2 1 0 2\n", "line 3: 6 numbers expected for 3 operations, got 4"),
        ("2 3\n0 4 1 5 2 6\n", "declares 2 jobs"),
        ("2 3\n0 4 1 5 2 6\n2 1 0 2 0 3\n", "line 3: job 1 visits a machine twice"),
        ("2 3\n0 4 1 -5 2 6\n2 1 0 2 1 3\n", "line 2: durations must be finite and not negative"),
        ("2 3\n0 4 1 nan 2 6\n2 1 0 2 1 3\n", "line 2: 'nan' is not a number"),
        ("2 3\n0 4 1 5 3 6\n2 1 0 2 1 3\n", "line 2: machines are whole numbers from 0 to 2"),
        ("2 3\n0 4 1 five 2 6\n", "line 2: 'five' is not a number"),
        ("0 3\n", "line 1: jobs and machines are positive"),
        ("2.0 3\n0 4 1 5 2 6\n2 1 0 2 1 3\n", "line 1: '2.0' is not a whole number"),
        ("2 3\n0 4 1 1_0 2 6\n2 1 0 2 1 3\n", "line 2: '1_0' is not a number"),
        ("2 3\n0 4 0.5 5 2 6\n2 1 0 2 1 3\n", "line 2: '0.5' is not a whole number"),
        ("2 3\n1 4 2 5 3 6\n2 1 3 2 1 3\n", "line 2: machines are whole numbers from 0 to 2"),
        ("2 3 9 9\n0 4 1 5 2 6\n2 1 0 2 1 3\n", "line 1: two matrices are announced"),
        ("2 2\nMachines\n1 2\n2 1\nTimes\n3 4\n5 6\n", "line 5: the matrix of times comes first"),
        ("2 2\nTimes\n3 4\nMachines\n5 6\n1 2\n2 1\n", "line 4: the matrix of machines comes second"),
        ("2 2\nTimes\n3 4\n5 6\nTimes\n1 2\n2 1\n", "line 5: a second 'Times'"),
        ("2 3\n0 4 1 5 2 6\n2 1 0 2 1 3\n2 1 0 2 1 3\n", "declares 2 jobs, which take 2 lines; it has 3"),
    ],
)
def test_broken_files_are_refused_with_the_line(tmp_path, text, message):
    """Every defect names its place."""
    with pytest.raises(InvalidInstanceError, match=message):
        read_jobshop(_write(tmp_path, text))


def test_missing_file_is_refused(tmp_path):
    """With the way out."""
    with pytest.raises(InvalidInstanceError, match="DIFFCOMB_DATA"):
        read_jobshop(tmp_path / "none.txt")
