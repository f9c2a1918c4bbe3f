"""A TNTP file taken apart: metadata, and the numbered lines below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from diffcomb.data.text import Place, read_lines
from diffcomb.errors import InvalidInstanceError

_TAG = re.compile(r"<(.+?)>(.*)")
_END = "END OF METADATA"
_KNOWN = (
    "NUMBER OF ZONES", "NUMBER OF NODES", "FIRST THRU NODE", "NUMBER OF LINKS", "TOTAL OD FLOW",
    "ORIGINAL HEADER", _END,
)  # fmt: skip


@dataclass(frozen=True)
class TntpFile:
    """tags: value and place by name in capitals. rows: lines below without blank ones and ~ comments."""

    path: Path
    tags: dict[str, tuple[Place, str]]
    comments: list[tuple[Place, str]]
    rows: list[tuple[Place, str]]

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number from metadata, within limits."""
        if name not in self.tags:
            raise InvalidInstanceError(f"{self.path.name} needs a line `<{name}> integer`.")
        place, text = self.tags[name]
        value = place.whole(text)
        if not low <= value <= high:
            raise place.refusal(f"<{name}> must lie in {low}..{high}, got {value}")
        return value


def numbered_lines(path: Path) -> Iterator[tuple[Place, str]]:
    """Stripped lines with their places."""
    source = "`python -m diffcomb.data roads` downloads the networks into $DIFFCOMB_DATA"
    for number, line in enumerate(read_lines(path, source), start=1):
        yield Place(path, number), line.strip()


def parse_tntp(path: Path) -> TntpFile:
    """Tags in any case, each once, up to <END OF METADATA>; unknown ones are kept.

    Raises:
        InvalidInstanceError: no such line, a tag that comes twice, stands below it or looks misspelt.
    """
    read = TntpFile(path, {}, [], [])
    below = False
    for place, line in numbered_lines(path):
        match = _TAG.match(line)
        if line.startswith("~"):
            read.comments.append((place, line))
        elif match:
            name = " ".join(match[1].upper().split())
            if below or name in read.tags:
                raise place.refusal(f"<{name}> {'below the metadata' if below else 'a second time'}")
            meant = get_close_matches(name, _KNOWN, n=1, cutoff=0.8)
            if meant and name not in _KNOWN:
                raise place.refusal(f"<{name}> is no tag of TNTP; <{meant[0]}> is")
            read.tags[name] = (place, match[2].strip().rstrip(";").strip())
            below = name == _END
        elif line and below:
            read.rows.append((place, line))
        elif line:
            raise place.refusal(f"expected `<NAME> value` or <{_END}>, found {line[:40]!r}")
    if not below:
        raise InvalidInstanceError(f"{path.name} has no <{_END}> line; is it a TNTP file?")
    return read


def node_of(place: Place, text: str, count: int) -> int:
    """A node or zone of the file, which counts from 1, as one from 0."""
    node = place.whole(text)
    if not 1 <= node <= count:
        raise place.refusal(f"{text!r} is not a node or zone in 1..{count}")
    return node - 1
