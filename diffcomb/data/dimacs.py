"""DIMACS graph files (.col) of the second implementation challenge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffcomb.data.text import Place, read_lines
from diffcomb.errors import InvalidInstanceError

#: adjacency is kept as a dense matrix, 400 MB at this size
MAX_VERTICES = 20_000


@dataclass(frozen=True)
class DimacsGraph:
    """A simple undirected graph.

    Attributes:
        name: of the file, without its suffix.
        num_vertices: N; vertices are 0..N-1 (the file counts from 1).
        edges: (E, 2) int64, each edge once, tail < head, sorted.
        ignored_loops: vertices whose self-loop was dropped; see `read_dimacs`.
    """

    name: str
    num_vertices: int
    edges: np.ndarray
    ignored_loops: tuple[int, ...] = ()


def read_dimacs(path: str | Path) -> DimacsGraph:
    """Read `c` comments, one `p edge N M` line (or `p col`), then `e u v` lines.

    Published files disagree about the details, so these are accepted:

    - an edge listed several times, in one orientation or both: kept once;
    - M counting the edge lines, or M = 2 lines (both orientations counted, one listed: DSJC500.9; the
      last line must then name vertex N, or else the file may have been cut off at half),
      or M = edges where every edge is listed in both orientations;
    - self-loops, dropped, in a file that lists every edge in both orientations and the loop twice:
      the diagonal of an adjacency list (homer). `ignored_loops` names them;
    - `n` lines (vertex weights) and blank lines, skipped.

    Refused, with line and reason: any other line or self-loop, a missing, repeated or late `p` line,
    end points that are no numbers in 1..N, and any other M.

    Raises:
        InvalidInstanceError: no such file, or one of the refusals above.
    """
    path = Path(path)
    lines = read_lines(path, "`python -m diffcomb.data coloring` downloads DIMACS graphs into $DIFFCOMB_DATA")
    header: tuple[int, int] | None = None
    ends: list[tuple[int, int]] = []
    numbers: list[int] = []
    for number, line in enumerate(lines, start=1):
        kind, *fields = line.split() or ["c"]
        place = Place(path, number)
        if kind.lower() == "p":
            if header is not None:
                raise place.refusal("a second 'p' line; a file holds one graph")
            header = _header(fields, place)
        elif kind.lower() == "e":
            if header is None:
                raise place.refusal("an edge before the 'p edge N M' line")
            ends.append(_edge(fields, header[0], place))
            numbers.append(number)
        elif kind.lower() not in ("c", "n"):
            raise place.refusal(f"unknown line type {kind[:20]!r}; expected c, p, n or e")
    if not lines:
        raise InvalidInstanceError(f"{path.name} is empty; expected 'p edge N M' and 'e u v' lines.")
    if header is None:
        raise Place(path, len(lines)).refusal("the file ends without a 'p edge N M' line")
    return _checked(path, header, np.array(ends, dtype=np.int64).reshape(-1, 2), numbers, len(lines))


def _header(fields: list[str], place: Place) -> tuple[int, int]:
    if len(fields) != 3 or fields[0].lower() not in ("edge", "edges", "col"):
        raise place.refusal(f"expected 'p edge N M', got 'p {' '.join(fields)[:60]}'")
    num_vertices, declared = (place.whole(field) for field in fields[1:])
    if num_vertices < 1 or declared < 0:
        raise place.refusal(f"N must be positive and M not negative, got {num_vertices} and {declared}")
    if num_vertices > MAX_VERTICES:
        raise place.refusal(f"N = {num_vertices} is above the limit of {MAX_VERTICES} vertices")
    return num_vertices, declared


def _edge(fields: list[str], num_vertices: int, place: Place) -> tuple[int, int]:
    if len(fields) != 2:
        raise place.refusal(f"expected 'e u v' with two vertex numbers, got 'e {' '.join(fields)[:60]}'")
    u, v = (place.whole(field) for field in fields)
    if not (1 <= u <= num_vertices and 1 <= v <= num_vertices):
        raise place.refusal(f"edge {u} {v} leaves the vertices 1..{num_vertices}")
    return u - 1, v - 1


def _checked(
    path: Path, header: tuple[int, int], ends: np.ndarray, numbers: list[int], num_lines: int
) -> DimacsGraph:
    num_vertices, declared = header
    codes = ends[:, 0] * num_vertices + ends[:, 1]
    loops = np.flatnonzero(ends[:, 0] == ends[:, 1])
    proper = np.delete(codes, loops)
    reverse = (proper % num_vertices) * num_vertices + proper // num_vertices
    symmetric = len(np.unique(proper)) == len(proper) and bool(np.isin(reverse, proper).all())
    _, times = np.unique(codes[loops], return_counts=True)
    if len(loops) and not (symmetric and len(proper) and (times == 2).all()):
        vertex = ends[loops[0], 0] + 1
        raise Place(path, numbers[loops[0]]).refusal(
            f"vertex {vertex} has a self-loop, so no colouring exists; remove the line"
        )
    undirected = np.minimum(proper, reverse)
    distinct = np.unique(undirected)
    edges = np.stack([distinct // num_vertices, distinct % num_vertices], axis=1)
    accepted = {len(ends)} | ({len(edges)} if symmetric else set())
    if len(ends) and num_vertices - 1 in ends[-1]:
        accepted.add(2 * len(ends))
    if declared not in accepted:
        reason = (
            "the file is truncated or its count is wrong" if len(ends) < declared else "its count is wrong"
        )
        _, first = np.unique(np.sort(ends, axis=1), axis=0, return_index=True)
        repeats = np.setdiff1d(np.arange(len(ends)), first)
        hint = ""
        if len(repeats) and len(ends) > declared:
            u, v = ends[repeats[0]] + 1
            hint = f"; line {numbers[repeats[0]]} repeats edge {u} {v}"
        raise Place(path, num_lines).refusal(
            f"the 'p' line declares {declared} edges but the file lists {len(ends)} ({len(edges)} different);"
            f" {reason}{hint}"
        )
    return DimacsGraph(path.stem, num_vertices, edges, tuple(int(v) for v in np.unique(ends[loops, 0])))
