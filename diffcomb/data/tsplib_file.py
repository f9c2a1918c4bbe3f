"""A TSPLIB file taken apart: keywords of its specification part, and sections of data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from diffcomb.data.text import Place, read_lines

_KEYWORDS = {
    "NAME", "TYPE", "COMMENT", "DIMENSION", "CAPACITY", "EDGE_WEIGHT_TYPE", "EDGE_WEIGHT_FORMAT",
    "EDGE_DATA_FORMAT", "NODE_COORD_TYPE", "DISPLAY_DATA_TYPE",
}  # fmt: skip
_SECTIONS = {
    "NODE_COORD_SECTION", "DEPOT_SECTION", "DEMAND_SECTION", "EDGE_DATA_SECTION", "FIXED_EDGES_SECTION",
    "DISPLAY_DATA_SECTION", "TOUR_SECTION", "EDGE_WEIGHT_SECTION",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z]\w*")

Line = tuple[Place, list[str]]


@dataclass(frozen=True)
class TsplibFile:
    """Values by keyword, with their places, and the words of each section's lines.

    Attributes:
        end: the last line, where what is missing is reported.
    """

    path: Path
    end: Place
    values: dict[str, tuple[Place, str]] = field(default_factory=dict)
    sections: dict[str, list[Line]] = field(default_factory=dict)

    def value(self, keyword: str) -> str | None:
        """The value of a keyword; None where it is missing or empty."""
        return self.values[keyword][1] or None if keyword in self.values else None

    def required(self, keyword: str) -> tuple[Place, str]:
        """Place and value of a keyword that must be there."""
        if self.value(keyword) is None:
            raise self.place(keyword).refusal(f"the file needs a line '{keyword} : ...'")
        return self.values[keyword]

    def place(self, keyword: str) -> Place:
        return self.values[keyword][0] if keyword in self.values else self.end

    def words(self, section: str) -> list[tuple[Place, str]]:
        """The words of a section one by one: lines mean nothing in matrices and lists of edges."""
        return [(place, word) for place, line in self.sections[section] for word in line]


def parse_tsplib(path: Path, source: str) -> TsplibFile:
    """Keywords in any case, with or without a colon, each once but for comments; sections likewise.

    Raises:
        InvalidInstanceError: a word that TSPLIB does not know, one that comes twice, data outside
            sections, anything behind EOF.
    """
    lines = read_lines(path, source)
    read = TsplibFile(path, Place(path, max(len(lines), 1)))
    section: list[Line] | None = None
    ended = False
    for number, text in enumerate(lines, start=1):
        place, words = Place(path, number), text.split()
        if not words:
            continue
        if ended:
            raise place.refusal("text behind EOF; a file holds one instance")
        match = _WORD.match(text.strip())
        if match is None:
            if section is None:
                raise place.refusal(f"data {text.strip()[:40]!r} outside of any section")
            section.append((place, words))
            continue
        keyword, rest = match[0].upper(), text.strip()[match.end() :].strip()
        ended = keyword == "EOF"
        if keyword in _SECTIONS:
            section = _start_section(read, keyword, rest, place)
        elif keyword in _KEYWORDS:
            _keep(read, keyword, rest, place)
            section = None
        elif not ended or rest.strip(":"):
            raise place.refusal(f"{words[0][:40]!r} is neither a keyword of TSPLIB nor a number")
    return read


def _start_section(read: TsplibFile, keyword: str, rest: str, place: Place) -> list[Line]:
    if keyword in read.sections:
        raise place.refusal(f"a second {keyword}")
    if rest.strip(":"):
        raise place.refusal(f"data of {keyword} start on the next line, found {rest[:40]!r}")
    return read.sections.setdefault(keyword, [])


def _keep(read: TsplibFile, keyword: str, rest: str, place: Place) -> None:
    if keyword in read.values and keyword != "COMMENT":
        raise place.refusal(f"a second line {keyword}")
    read.values[keyword] = (place, rest.removeprefix(":").strip())
