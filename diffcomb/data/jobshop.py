"""Job-shop files -> machines and durations: the standard format and Taillard's two matrices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffcomb.data.text import Place, read_lines
from diffcomb.errors import InvalidInstanceError


@dataclass(frozen=True)
class JobShopInstance:
    """machines (jobs, machines) int64, 0-based, in the order a job visits them; durations alike, float64."""

    name: str
    machines: np.ndarray
    durations: np.ndarray


_Line = tuple[Place, list[str]]


def read_jobshop(path: str | Path) -> JobShopInstance:
    """Read a job shop in one of two formats.

    Standard: `jobs machines`, then one line a job of machine-duration pairs, machines from 0.
    Taillard: `jobs machines ...`, then a matrix of durations, then one of machines, from 1; the words
    "Times" and "Machines" before them are optional. Lines that start with # are comments.

    Raises:
        InvalidInstanceError: missing file, not a number, wrong counts, a machine that does not exist
            or comes twice in a job, a negative or non-finite duration; names the line.
    """
    path = Path(path)
    lines, captions = _lines(path)
    if not lines or len(lines[0][1]) < 2:
        raise InvalidInstanceError(f"{path.name} does not start with a line `jobs machines`.")
    header, words = lines[0]
    jobs, machines = (header.whole(word) for word in words[:2])
    if jobs < 1 or machines < 1:
        raise header.refusal("jobs and machines are positive whole numbers")
    rows = lines[1:]
    # J rows of 2M numbers or 2J rows of M numbers; whichever fits the first row better
    two_matrices = bool(rows) and len(rows[0][1]) == machines and len(rows) > jobs
    if not two_matrices and (len(words) > 2 or captions):
        raise header.refusal("two matrices are announced, times and machines, of one line a job each")
    expected, width = (2 * jobs, machines) if two_matrices else (jobs, 2 * machines)
    for place, row in rows:
        if len(row) != width:
            raise place.refusal(f"{width} numbers expected for {machines} operations, got {len(row)}")
    if len(rows) != expected:
        last = rows[-1][0].line if rows else header.line
        raise InvalidInstanceError(
            f"{path.name} declares {jobs} jobs, which take {expected} lines; it has {len(rows)}"
            f" (the last is line {last})."
        )
    times = [(at, row if two_matrices else row[1::2]) for at, row in rows[:jobs]]
    visits = rows[jobs:] if two_matrices else [(at, row[::2]) for at, row in rows]
    first = 1 if two_matrices else 0
    _check_captions(captions, times, visits)
    return JobShopInstance(
        path.stem,
        np.array([_visited(j, at, row, first) for j, (at, row) in enumerate(visits)], dtype=np.int64),
        np.array([_durations(at, row) for at, row in times], dtype=np.float64),
    )


def _lines(path: Path) -> tuple[list[_Line], dict[str, Place]]:
    """Lines of numbers, and the places of Taillard's captions "times" and "machines"."""
    lines: list[_Line] = []
    captions: dict[str, Place] = {}
    source = "put the job-shop instances under $DIFFCOMB_DATA/jobshop, or check the path"
    for number, text in enumerate(read_lines(path, source), start=1):
        place, words = Place(path, number), text.split()
        if not words or words[0].startswith("#"):
            continue
        caption = text.strip().strip(":").strip().lower()
        if caption in ("times", "machines"):
            if caption in captions:
                raise place.refusal(f"a second {words[0][:20]!r}; a file holds one instance")
            captions[caption] = place
        elif words[0].lower() == "nb" and not lines:
            continue  # Taillard's "Nb of jobs, Nb of Machines, Time seed, ..." above the numbers
        else:
            place.reals(words)
            lines.append((place, words))
    return lines, captions


def _check_captions(captions: dict[str, Place], times: list[_Line], visits: list[_Line]) -> None:
    """Each caption must stand right above the matrix it names."""
    if "times" in captions and not captions["times"].line < times[0][0].line:
        raise captions["times"].refusal("the matrix of times comes first")
    if "machines" in captions and not times[-1][0].line < captions["machines"].line < visits[0][0].line:
        raise captions["machines"].refusal("the matrix of machines comes second, one line a job")


def _durations(place: Place, words: list[str]) -> list[float]:
    values = place.reals(words)
    if min(values) < 0:
        raise place.refusal("durations must be finite and not negative")
    return values


def _visited(job: int, place: Place, words: list[str], first: int) -> list[int]:
    """Machines of a job from 0, where the file counts from `first`."""
    machines = [place.whole(word) - first for word in words]
    if min(machines) < 0 or max(machines) >= len(words):
        raise place.refusal(f"machines are whole numbers from {first} to {len(words) - 1 + first}")
    if len(set(machines)) < len(machines):
        raise place.refusal(
            f"job {job} visits a machine twice, which is not supported; split it into two jobs"
        )
    return machines
