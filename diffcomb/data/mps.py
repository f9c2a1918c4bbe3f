"""MPS files, fixed or free, read line by line so that nothing is left out without a word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from diffcomb.data.mixed_integer_model import MixedIntegerModel
from diffcomb.data.mps_sections import MpsSections
from diffcomb.data.text import Place, read_lines


def read_mps(path: str | Path) -> MixedIntegerModel:
    """Read an MPS file; names without blanks, data lines start with a blank.

    Where solvers differ the file is refused: an entry, bound or right-hand side given twice, a second
    set of right-hand sides, ranges or bounds, a negative upper bound without a lower one (some then take
    minus infinity, some 0). Where all agree that is done: integer columns between markers that have no
    bound at all lie between 0 and 1, the objective's right-hand side counts negatively, other rows of
    type N are left out.

    Raises:
        InvalidInstanceError: missing file, an unknown section, name or bound type, a malformed number, any
            of the above; names line and reason. InfeasibleError: bounds that exclude each other.
    """
    path = Path(path)
    model = MpsSections(path)
    sections: dict[str, Callable[[Place, list[str]], None]] = {
        "ROWS": model.row,
        "COLUMNS": model.column,
        "RHS": model.right_hand_side,
        "RANGES": model.range,
        "BOUNDS": model.bound,
        "OBJSENSE": model.objective_sense,
        "OBJNAME": model.objective_name,
        "QUADOBJ": model.triangle_entry,
        "QSECTION": model.triangle_entry,
        "QMATRIX": model.square_entry,
    }
    seen: set[str] = {"NAME"}
    read: Callable[[Place, list[str]], None] | None = None
    lines = read_lines(path)
    for number, line in enumerate(lines, start=1):
        place, words = Place(path, number), line.split()
        if not words or line.startswith("*"):
            continue
        if "ENDATA" in seen:
            raise place.refusal("text behind ENDATA; a file holds one model")
        if line[0].isspace():
            if read is None:
                raise place.refusal("data outside of any section")
            read(place, words)
            continue
        section = words[0].upper()
        if section == "NAME":
            read = None
            continue
        if section not in sections and section != "ENDATA":
            raise place.refusal(f"section {words[0][:40]!r} is not supported (data lines start with a blank)")
        if section in seen:
            raise place.refusal(f"a second section {section}")
        seen.add(section)
        read = sections.get(section)
        if words[1:] and section == "OBJSENSE":
            model.objective_sense(place, words[1:])
        elif words[1:] and not (section == "QSECTION" and words[1:] == [model.objective]):
            raise place.refusal(f"nothing is expected behind {section}, found {words[1][:40]!r}")
    end = Place(path, max(len(lines), 1))
    for section in ("ROWS", "COLUMNS", "ENDATA"):
        if section not in seen:
            raise end.refusal(f"the file ends without {section}")
    if "RHS" not in seen and model.last_column.upper().startswith("RHS"):
        raise end.refusal(f"no section RHS, but a last column {model.last_column}; its header is missing")
    return model.finished(end)
