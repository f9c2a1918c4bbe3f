"""The DIMACS reader takes what published files do and refuses what is broken, naming the line."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from diffcomb.data import read_dimacs
from diffcomb.errors import InvalidInstanceError

TRIANGLE = "c a triangle\np edge 3 3\ne 1 2\ne 2 3\ne 1 3\n"


def _read(tmp_path, text):
    path = tmp_path / "graph.col"
    path.write_text(text)
    return read_dimacs(path)


@pytest.mark.parametrize(
    "text",
    [
        TRIANGLE,
        TRIANGLE.replace("edge", "col"),
        "p edge 3 6\ne 1 2\ne 2 1\ne 2 3\ne 3 2\ne 1 3\ne 3 1\n",
        "p edge 3 3\ne 1 2\ne 2 1\ne 2 3\ne 3 2\ne 1 3\ne 3 1\n",
        "p edge 3 6\ne 1 2\ne 2 3\ne 1 3\n",
        "p edge 3 4\ne 1 2\ne 2 3\ne 1 3\ne 2 3\n",
        TRIANGLE.upper(),
        "\nn 1 5\np edge 3 3\nc\n  e 1 2\ne 3 2\n\ne 3 1",
    ],
    ids=[
        "plain",
        "col",
        "both",
        "both, counted once",
        "counted twice",
        "repeated",
        "capitals",
        "blank and n lines",
    ],
)
def test_the_habits_of_published_files_give_one_triangle(tmp_path, text):
    """Both orientations, doubled counts, repetitions and blank lines all read as three edges."""
    graph = _read(tmp_path, text)
    assert graph.num_vertices == 3
    assert graph.edges.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert graph.ignored_loops == ()


def test_loops_of_an_adjacency_list_are_dropped_and_named(tmp_path):
    """A loop listed twice among edges in both orientations is a diagonal entry, not an edge."""
    graph = _read(tmp_path, "p edge 2 4\ne 1 2\ne 2 1\ne 2 2\ne 2 2\n")
    assert graph.edges.tolist() == [[0, 1]]
    assert graph.ignored_loops == (1,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; expected 'p edge N M'"),
        ("c nothing\n", "line 1.*without a 'p edge"),
        ("e 1 2\np edge 2 1\n", "line 1.*before the 'p"),
        ("p edge 3\n", "line 1.*expected 'p edge N M'"),
        ("p matching 3 3\n", "line 1.*expected 'p edge N M'"),
        ("p edge three 3\n", "line 1.*whole number"),
        ("p edge 0 0\n", "line 1.*positive"),
        ("p edge 99999999 1\n", "line 1.*above the limit of 20000 vertices"),
        (TRIANGLE + "p edge 3 3\n", "line 6.*second 'p' line"),
        (TRIANGLE.replace("e 2 3", "e 2"), "line 4.*two vertex numbers"),
        (TRIANGLE.replace("e 2 3", "e 2 x"), "line 4.*'x' is not a whole number"),
        (TRIANGLE.replace("e 2 3", "e 2 -3"), "line 4.*leaves the vertices"),
        (TRIANGLE.replace("e 2 3", "e 2 2.5"), "line 4.*'2.5' is not a whole number"),
        (TRIANGLE.replace("e 2 3", "e 2 " + "3" * 5000), "line 4.*is not a whole number"),
        (TRIANGLE.replace("e 2 3", "e 2 3 7"), "line 4.*two vertex numbers"),
        ("p edge 4 4\ne 1 2\ne 1 3\n", "line 3.*declares 4 edges but the file lists 2.*truncated"),
        (TRIANGLE.replace("e 2 3", "e 2 4"), r"line 4.*leaves the vertices 1\.\.3"),
        (TRIANGLE.replace("e 2 3", "e 0 3"), r"line 4.*leaves the vertices 1\.\.3"),
        (TRIANGLE.replace("e 2 3", "e 2 2"), "line 4.*self-loop"),
        (TRIANGLE.replace("e 2 3", "edge 2 3"), "line 4.*unknown line type"),
        (TRIANGLE[:-6], "line 4.*declares 3 edges but the file lists 2.*truncated"),
        (TRIANGLE[:-3], "line 5.*two vertex numbers"),
        (TRIANGLE + "e 3 2\ne 2 1\n", "declares 3.*lists 5.*line 6 repeats edge 3 2"),
    ],
)
def test_broken_files_are_refused_with_line_and_reason(tmp_path, text, message):
    """Every refusal is an InvalidInstanceError that names the file, the line and what is wrong."""
    with pytest.raises(InvalidInstanceError, match=message):
        _read(tmp_path, text)


def test_a_missing_file_says_where_to_get_it():
    """The message has the download command."""
    with pytest.raises(InvalidInstanceError, match="DIFFCOMB_DATA"):
        read_dimacs("nowhere/queen5_5.col")


@pytest.mark.skipif("DIFFCOMB_DATA" not in os.environ, reason="needs the DIMACS files")
def test_published_files_have_the_published_numbers_of_edges():
    """Vertices and edges agree with instances.csv; among them the files with odd counts and loops."""
    folder = Path(os.environ["DIFFCOMB_DATA"]) / "coloring"
    with (folder / "instances.csv").open() as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    for name in ("anna", "homer", "huck", "queen8_8", "ash331GPIA", "will199GPIA", "myciel5", "DSJC500.9"):
        graph = read_dimacs(folder / f"{name}.col")
        assert (graph.num_vertices, len(graph.edges)) == (
            int(rows[name]["vertices"]),
            int(rows[name]["edges"]),
        )
        assert np.all(graph.edges[:, 0] < graph.edges[:, 1])
        assert bool(graph.ignored_loops) == (name == "homer")
