"""LP files (CPLEX's format), through HiGHS's strict reader."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import highspy
import numpy as np

from diffcomb.data.highs_model import parts_of
from diffcomb.data.mixed_integer_model import Columns, MixedIntegerModel, assemble
from diffcomb.data.text import Place, read_lines
from diffcomb.errors import InvalidInstanceError
from diffcomb.quiet_highs import QuietHighs

#: sections behind the rows, as HiGHS knows them
_TAIL = re.compile(
    r"\s*(bounds?|bin|binary|binaries|gen|generals?|integers?|semi|semis|semi-continuous|end)(?=\s|$)(.*)",
    re.IGNORECASE,
)
#: x[1] and the like, which Gurobi and others write and HiGHS takes for a product
_BRACKETED = re.compile(
    r"(?<![^\s+\-*/<>=:^\[])[^\s+\-*/<>=:^\[\].0-9][^\s+\-*/<>=:^\[\]]*(?:\[[^\[\]\s]*\][^\s+\-*/<>=:^\[\]]*)+"
)
_BINARY = ("bin", "binary", "binaries")
_FAULT = re.compile(r"(WARNING|ERROR):\s*(.*)")
_AT = re.compile(r"\s*-->.*:(\d+):\d+\s*$")


def read_lp(path: str | Path) -> MixedIntegerModel:
    """Read an LP file; columns come in the order of their first appearance.

    Whatever HiGHS reads with a warning is refused, since it has left out or changed a part of the file.
    Its messages name the line. Refused besides are columns that only Bounds or a list of types names
    (a misspelt name adds a variable and loses the bound) and rows without variables.

    Raises:
        InvalidInstanceError: missing file, or one of which HiGHS does not take everything; names line and
            reason. InfeasibleError: bounds of a variable that exclude each other.
    """
    path = Path(path)
    lines, own_names = _without_brackets(read_lines(path))
    model = _read_by_highs(path, lines, own_names)
    columns, rows, others = parts_of(model, path.name)
    sections = _sections(lines)
    used = np.diff(rows.matrix.tocsc().indptr) > 0
    for j in np.flatnonzero(~used & (columns.costs == 0)):
        if not _names(sections.head, columns.names[j]):
            name = own_names.get(columns.names[j], columns.names[j])
            raise InvalidInstanceError(
                f"{path.name}: variable {name} stands in Bounds or a list of types, but in no row and not in"
                f" the objective; correct its name, or write 0 {name} into the objective."
            )
    columns = replace(
        _within_unit_interval(columns, sections.binary),
        names=tuple(own_names.get(name, name) for name in columns.names),
    )
    rows = replace(rows, names=tuple(own_names.get(name, name) for name in rows.names))
    empty = np.flatnonzero(np.diff(rows.matrix.indptr) == 0)
    if len(empty):
        raise InvalidInstanceError(f"{path.name}: row {rows.names[empty[0]]} has no variables; remove it.")
    return assemble(path.name, columns, rows, **others)


def _without_brackets(lines: list[str]) -> tuple[list[str], dict[str, str]]:
    """The lines with other names for those with brackets, and from these names back to the file's own."""
    text = "\n".join(lines)
    prefix = "bracketed"
    while prefix in text:
        prefix += "_"
    given: dict[str, str] = {}
    text = _BRACKETED.sub(lambda match: given.setdefault(match[0], f"{prefix}{len(given)}"), text)
    return text.split("\n"), {placeholder: name for name, placeholder in given.items()}


def _own(text: str, own_names: dict[str, str]) -> str:
    """A text with the file's own names; long placeholders first, as bracketed1 begins bracketed10."""
    for placeholder in sorted(own_names, key=len, reverse=True):
        text = text.replace(placeholder, own_names[placeholder])
    return text


def _read_by_highs(path: Path, lines: list[str], own_names: dict[str, str]) -> highspy.Highs:
    """A copy in plain UTF-8 goes to HiGHS; its log says what it did not take."""
    model = QuietHighs()
    try:
        with tempfile.TemporaryDirectory(prefix="diffcomb-") as folder:
            copy, log = Path(folder) / "model.lp", Path(folder) / "log"
            copy.write_text("\n".join([*lines, ""]), encoding="utf-8")
            model.setOptionValue("log_to_console", False)
            model.setOptionValue("log_file", str(log))
            model.setOptionValue("output_flag", True)
            status = model.readModel(str(copy))
            model.setOptionValue("output_flag", False)
            model.setOptionValue("log_file", "")
            messages = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise InvalidInstanceError(
            f"Reading {path.name} takes a writable temporary folder ({error.strerror}); set TMPDIR to one."
        ) from None
    for k, message in enumerate(messages):
        fault = _FAULT.match(message)
        if fault:
            at = _AT.match(messages[k + 1]) if k + 1 < len(messages) else None
            reason = _own(fault[2].strip().rstrip(".").replace(str(copy), path.name), own_names)
            if at:
                raise Place(path, int(at[1])).refusal(reason)
            raise InvalidInstanceError(f"{path.name}: {reason}.")
    if status != highspy.HighsStatus.kOk:
        raise InvalidInstanceError(f"{path.name} is not a readable LP file.")
    return model


@dataclass(frozen=True)
class _Sections:
    """head: objective and rows. binary: names listed as binary."""

    head: str
    binary: set[str]


def _sections(lines: list[str]) -> _Sections:
    head: list[str] = []
    binary: set[str] = set()
    section = ""
    for line in lines:
        text = line.partition("\\")[0]
        keyword = _TAIL.match(text)
        # a name may be a keyword too, then an operator or a colon follows it
        if keyword and not re.match(r"\s*[:<>=+*/^\-]", keyword[2]):
            section, text = keyword[1].lower(), keyword[2]
        if not section:
            head.append(text)
        elif section in _BINARY:
            binary.update(text.split())
    return _Sections("\n".join(head), binary)


def _names(text: str, name: str) -> bool:
    """Whether a name stands in a text, coefficients may touch it on the left."""
    return bool(re.search(rf"(?<![^\s+\-*/<>=:\[\]^.0-9]){re.escape(name)}(?![^\s+\-*/<>=:\[\]^])", text))


def _within_unit_interval(columns: Columns, names: set[str]) -> Columns:
    """Columns declared binary are also between 0 and 1, whatever their bounds say."""
    binary = np.array([name in names for name in columns.names], dtype=bool)
    return replace(
        columns,
        lower=np.where(binary, np.maximum(columns.lower, 0.0), columns.lower),
        upper=np.where(binary, np.minimum(columns.upper, 1.0), columns.upper),
    )
