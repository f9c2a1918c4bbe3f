"""Job-shop files -> machines and durations: the standard format and Taillard's two matrices."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffcomb.errors import InvalidInstanceError


@dataclass(frozen=True)
class JobShopInstance:
    """machines (jobs, machines) int64, 0-based, in the order a job visits them; durations alike, float64."""

    name: str
    machines: np.ndarray
    durations: np.ndarray


_Line = tuple[int, list[float]]  # number in the file, counted from 1, and its numbers


def read_jobshop(path: str | Path) -> JobShopInstance:
    """Read a job shop in one of two formats.

    Standard: `jobs machines`, then one line a job of machine-duration pairs, machines from 0.
    Taillard: `jobs machines ...`, then a matrix of durations, then one of machines, from 1; the words
    "Times" and "Machines" between them are optional. Lines that start with # are comments.

    Raises:
        InvalidInstanceError: missing file, not a number, wrong counts, a machine that does not exist
            or comes twice in a job, a negative or non-finite duration; names the line.
    """
    path = Path(path)
    if not path.is_file():
        raise InvalidInstanceError(
            f"No file {path}; put the job-shop instances under $DIFFCOMB_DATA/jobshop, or check the path."
        )
    lines = _numbers(path)
    if not lines or len(lines[0][1]) < 2:
        raise InvalidInstanceError(f"{path.name} does not start with a line `jobs machines`.")
    number, header = lines[0]
    jobs, machines = (_count(x, path, number) for x in header[:2])
    rows = lines[1:]
    # J rows of 2M numbers or 2J rows of M numbers; whichever fits the first row better
    two_matrices = bool(rows) and len(rows[0][1]) == machines and len(rows) > jobs
    expected, width = (2 * jobs, machines) if two_matrices else (jobs, 2 * machines)
    for number, row in rows:
        if len(row) != width:
            raise InvalidInstanceError(
                f"{path.name} line {number}: {width} numbers expected for {machines} operations,"
                f" got {len(row)}."
            )
    if len(rows) != expected:
        last = rows[-1][0] if rows else number
        raise InvalidInstanceError(
            f"{path.name} declares {jobs} jobs, which take {expected} lines; it has {len(rows)}"
            f" (the last is line {last})."
        )
    table = np.array([row for _, row in rows], dtype=np.float64)
    where = [number for number, _ in rows]
    if two_matrices:
        durations, visits, at = table[:jobs], table[jobs:] - 1, where[jobs:]
    else:
        durations, visits, at = table[:, 1::2], table[:, ::2], where
    for j in range(jobs):
        place = f"{path.name} line {where[j]}"
        if not (np.isfinite(durations[j]).all() and (durations[j] >= 0).all()):
            raise InvalidInstanceError(f"{place}: durations must be finite and not negative.")
        place = f"{path.name} line {at[j]}"
        visited = visits[j]
        if not ((visited == np.floor(visited)) & (visited >= 0) & (visited < machines)).all():
            base = 1 if two_matrices else 0
            raise InvalidInstanceError(
                f"{place}: machines are whole numbers from {base} to {machines - 1 + base}."
            )
        if len(set(visited.tolist())) < machines:
            raise InvalidInstanceError(
                f"{place}: job {j} visits a machine twice, which is not supported; split it into two jobs."
            )
    return JobShopInstance(path.stem, visits.astype(np.int64), np.ascontiguousarray(durations))


def _numbers(path: Path) -> list[_Line]:
    lines: list[_Line] = []
    for number, text in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        words = text.split()
        if not words or text.lstrip().startswith("#"):
            continue
        if re.match(r"\s*(times|machines|nb\b)", text, re.IGNORECASE):
            continue  # Taillard's captions
        try:
            lines.append((number, [float(word) for word in words]))
        except ValueError:
            raise InvalidInstanceError(
                f"{path.name} line {number}: not a line of numbers: {text!r:.60}."
            ) from None
    return lines


def _count(value: float, path: Path, number: int) -> int:
    if not math.isfinite(value) or value < 1 or value != int(value):
        raise InvalidInstanceError(
            f"{path.name} line {number}: jobs and machines are positive whole numbers."
        )
    return int(value)
