"""Text files as lines, and strict numbers in them: what every reader of this package stands on."""

from __future__ import annotations

import codecs
import gzip
import math
import re
import zlib
from pathlib import Path
from typing import NamedTuple

from diffcomb.errors import InvalidInstanceError

#: float() also takes nan, inf, 1_000 and the digits of other scripts
_REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Place(NamedTuple):
    """A line of a file, counted from 1: turns its words into numbers, or says what is wrong there."""

    path: Path
    line: int

    def refusal(self, reason: str) -> InvalidInstanceError:
        """The error to raise: file, line and reason in one sentence."""
        return InvalidInstanceError(f"{self.path.name}, line {self.line}: {reason}.")

    def real(self, word: str) -> float:
        """A finite decimal number, 1e5 and .5 included."""
        if not _REAL.fullmatch(word):
            raise self.refusal(f"{word[:40]!r} is not a number")
        value = float(word)
        if not math.isfinite(value):
            raise self.refusal(f"{word[:40]!r} is beyond double precision")
        return value

    def reals(self, words: list[str]) -> list[float]:
        """All words as finite decimal numbers."""
        return [self.real(word) for word in words]

    def whole(self, word: str) -> int:
        """A whole number of at most 18 digits."""
        if not _WHOLE.fullmatch(word):
            raise self.refusal(f"{word[:40]!r} is not a whole number")
        return int(word)


def read_lines(path: Path, source: str = "check the path") -> list[str]:
    """The lines of a text file, whatever ends them, in UTF-8, UTF-16 or UTF-32 with their marks, or else in
    Latin-1 (which old files have in names and comments); gzip is unpacked.

    Args:
        source: where such a file comes from, for the message that it is missing.

    Raises:
        InvalidInstanceError: missing, a folder, not readable, not a text file.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidInstanceError(f"No file {path}; {source}.") from None
    except IsADirectoryError:
        raise InvalidInstanceError(f"{path} is a folder; name a file in it.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise InvalidInstanceError(f"{path} cannot be read: {reason}.") from None
    text = _decoded(data, path).replace("\r\n", "\n").replace("\r", "\n")
    # DOS ends text files with Ctrl-Z; str.splitlines would also split at form feeds and the like
    lines = text.rstrip("\x1a").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _decoded(data: bytes, path: Path) -> str:
    try:
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        raise InvalidInstanceError(f"{path} is a damaged gzip file; fetch it again.") from None
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), None)
    if encoding is None and b"\0" in data:
        raise InvalidInstanceError(f"{path} is not a text file.")
    try:
        return data.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        if encoding is None:
            return data.decode("latin-1")
        raise InvalidInstanceError(f"{path} is damaged: it is marked as {encoding} but is not.") from None
