"""The sections of an MPS file, taken line by line into a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from scipy import sparse

from diffcomb.data.mixed_integer_model import Columns, MixedIntegerModel, RowBounds, assemble
from diffcomb.data.text import Place

_SENSES: dict[str, Literal["min", "max"]] = {
    "MIN": "min", "MINIMIZE": "min", "MINIMISE": "min", "MAX": "max", "MAXIMIZE": "max", "MAXIMISE": "max",
}  # fmt: skip
#: bound types: (sets a lower bound, sets an upper bound, takes a value)
_BOUNDS = {
    "LO": (True, False, True), "UP": (False, True, True), "FX": (True, True, True),
    "LI": (True, False, True), "UI": (False, True, True), "FR": (True, True, False),
    "MI": (True, False, False), "PL": (False, True, False), "BV": (True, True, False),
}  # fmt: skip


@dataclass
class MpsSections:
    """What has been read so far; one method a section, called with every line of it."""

    path: Path
    sense: Literal["min", "max"] | None = None
    #: the row of type N that is minimised: the one of OBJNAME, else the first
    objective: str | None = None
    named_at: Place | None = None
    free_rows: set[str] = field(default_factory=set)
    kinds: list[str] = field(default_factory=list)
    row_index: dict[str, int] = field(default_factory=dict)
    column_index: dict[str, int] = field(default_factory=dict)
    integer: list[bool] = field(default_factory=list)
    marked: Place | None = None
    entries: dict[tuple[int, int], float] = field(default_factory=dict)
    costs: dict[int, float] = field(default_factory=dict)
    sides: dict[int, float] = field(default_factory=dict)
    ranges: dict[int, float] = field(default_factory=dict)
    constant: float | None = None
    lower: dict[int, float] = field(default_factory=dict)
    upper: dict[int, float] = field(default_factory=dict)
    last_bound: dict[int, Place] = field(default_factory=dict)
    products: dict[tuple[int, int], float] = field(default_factory=dict)
    square: bool = False
    sets: dict[str, str] = field(default_factory=dict)
    this_column: dict[str, Place] = field(default_factory=dict)

    @property
    def last_column(self) -> str:
        return next(reversed(self.column_index), "")

    def row(self, place: Place, words: list[str]) -> None:
        if len(words) != 2 or words[0].upper() not in ("N", "E", "L", "G"):
            raise place.refusal("a row is a type, N, E, L or G, and a name without blanks")
        kind, name = words[0].upper(), words[1]
        if name in self.row_index or name in self.free_rows:
            raise place.refusal(f"a second row {name}")
        if kind == "N":
            self.free_rows.add(name)
            if self.objective is None:
                self.objective = name
        else:
            self.row_index[name] = len(self.kinds)
            self.kinds.append(kind)

    def column(self, place: Place, words: list[str]) -> None:
        if len(words) >= 3 and words[1].strip("'\"").upper() == "MARKER":
            self._marker(place, words[2].strip("'\"").upper())
            return
        name = words[0]
        if self.column_index.get(name) != len(self.column_index) - 1 or not self.column_index:
            if name in self.column_index:
                raise place.refusal(f"column {name} again; all its entries must stand together")
            self.column_index[name] = len(self.column_index)
            self.integer.append(self.marked is not None)
            self.this_column = {}
        j = self.column_index[name]
        for row, value in self._pairs(place, words[1:]):
            if row in self.this_column:
                raise place.refusal(f"column {name} has a second entry in row {row}")
            self.this_column[row] = place
            if row == self.objective:
                self.costs[j] = value
            elif row in self.row_index:
                self.entries[self.row_index[row], j] = value

    def _marker(self, place: Place, kind: str) -> None:
        if kind not in ("INTORG", "INTEND") or (kind == "INTORG") == (self.marked is not None):
            raise place.refusal("markers of integer columns are INTORG and INTEND in turn")
        self.marked = place if kind == "INTORG" else None

    def right_hand_side(self, place: Place, words: list[str]) -> None:
        for row, value in self._pairs(place, self._without_set(place, "RHS", words), infinite=True):
            if row in self.free_rows and row != self.objective:
                continue
            if (row in self.row_index and self.row_index[row] in self.sides) or (
                row not in self.row_index and self.constant is not None
            ):
                raise place.refusal(f"a second right-hand side of row {row}")
            if row in self.row_index:
                self.sides[self.row_index[row]] = value
            else:
                self.constant = -value

    def range(self, place: Place, words: list[str]) -> None:
        for row, value in self._pairs(place, self._without_set(place, "RANGES", words), infinite=True):
            if row in self.free_rows:
                raise place.refusal(f"row {row} is free, so it has no range")
            if self.row_index[row] in self.ranges:
                raise place.refusal(f"a second range of row {row}")
            self.ranges[self.row_index[row]] = value

    def bound(self, place: Place, words: list[str]) -> None:
        """TYPE [set] column [value]; sets may be left out."""
        kind = words[0].upper()
        if kind not in _BOUNDS:
            raise place.refusal(f"bound type {words[0][:20]!r} is not supported")
        sets_lower, sets_upper, takes_value = _BOUNDS[kind]
        rest = words[1:]
        if len(rest) == (3 if takes_value else 2) or (len(rest) == 3 and rest[1] in self.column_index):
            self._use_set(place, "BOUNDS", rest[0])
            rest = rest[1:]
        if len(rest) not in ((2,) if takes_value else (1, 2)):
            raise place.refusal(f"a bound {kind} names a column{' and a value' if takes_value else ''}")
        name = rest[0]
        if name not in self.column_index:
            raise place.refusal(f"a bound of column {name[:40]!r}, which COLUMNS does not have")
        j = self.column_index[name]
        value = self._value(place, rest[1], infinite=True) if takes_value else 0.0
        if (sets_lower and j in self.lower) or (sets_upper and j in self.upper):
            raise place.refusal(f"a second bound of column {name}")
        if sets_lower:
            self.lower[j] = {"FR": -np.inf, "MI": -np.inf, "BV": 0.0}.get(kind, value)
        if sets_upper:
            self.upper[j] = {"FR": np.inf, "PL": np.inf, "BV": 1.0}.get(kind, value)
        if kind in ("BV", "LI", "UI"):
            self.integer[j] = True
        self.last_bound[j] = place

    def objective_sense(self, place: Place, words: list[str]) -> None:
        if len(words) != 1 or words[0].upper() not in _SENSES or self.sense is not None:
            raise place.refusal("OBJSENSE is one word, MIN or MAX")
        self.sense = _SENSES[words[0].upper()]

    def objective_name(self, place: Place, words: list[str]) -> None:
        if len(words) != 1 or self.named_at is not None or self.column_index:
            raise place.refusal("OBJNAME is the name of one row of type N, given before COLUMNS")
        self.objective, self.named_at = words[0], place

    def triangle_entry(self, place: Place, words: list[str]) -> None:
        """Q[i, j] = Q[j, i], given once."""
        i, j, value = self._product(place, words)
        self._put_product(place, (max(i, j), min(i, j)), value)

    def square_entry(self, place: Place, words: list[str]) -> None:
        """Q[i, j] alone; finished() checks that Q[j, i] is the same."""
        i, j, value = self._product(place, words)
        self.square = True
        self._put_product(place, (i, j), value)

    def _put_product(self, place: Place, key: tuple[int, int], value: float) -> None:
        if key in self.products:
            raise place.refusal("this product of columns is given a second time")
        self.products[key] = value

    def _product(self, place: Place, words: list[str]) -> tuple[int, int, float]:
        if len(words) != 3 or not all(name in self.column_index for name in words[:2]):
            raise place.refusal("a quadratic entry is two columns and a value")
        return *(self.column_index[name] for name in words[:2]), place.real(words[2])  # type: ignore[return-value]

    def _without_set(self, place: Place, section: str, words: list[str]) -> list[str]:
        """Pairs of row and value, without the name of their set where there is one."""
        self._use_set(place, section, words[0] if len(words) % 2 else "")
        return words[len(words) % 2 :]

    def _use_set(self, place: Place, section: str, name: str) -> None:
        if self.sets.setdefault(section, name) != name:
            raise place.refusal(
                f"{section} has a second set {name!r} beside {self.sets[section]!r}; only one can hold"
            )

    def _pairs(
        self, place: Place, words: list[str], *, infinite: bool = False
    ) -> Iterator[tuple[str, float]]:
        if not words or len(words) % 2:
            raise place.refusal("expected rows and values in turn, names without blanks")
        for row, word in zip(words[::2], words[1::2], strict=True):
            if row not in self.row_index and row not in self.free_rows:
                raise place.refusal(f"row {row[:40]!r} is not one of ROWS")
            yield row, self._value(place, word, infinite=infinite)

    def _value(self, place: Place, word: str, *, infinite: bool) -> float:
        if infinite and word.lower().lstrip("+-") in ("inf", "infinity"):
            return -np.inf if word.startswith("-") else np.inf
        if "D" in word or "d" in word:  # Fortran writes 1D5 for 1e5
            word = word.upper().replace("D", "E")
        return place.real(word)

    def finished(self, end: Place) -> MixedIntegerModel:
        if self.marked is not None:
            raise self.marked.refusal("INTORG without INTEND")
        if self.named_at is not None and self.objective not in self.free_rows:
            raise self.named_at.refusal(f"row {self.objective!r} is not a row of type N")
        if self.objective is None:
            raise end.refusal("the file has no objective, a row of type N")
        n = len(self.column_index)
        lower, upper = np.zeros(n), np.full(n, np.inf)
        for j, value in self.lower.items():
            lower[j] = value
        for j, value in self.upper.items():
            upper[j] = value
            if value < 0 and j not in self.lower:
                raise self.last_bound[j].refusal(
                    "a negative upper bound without a lower one, which solvers read in two ways; give both"
                )
        integer = np.array(self.integer, dtype=bool)
        unbounded = np.array([j not in self.lower and j not in self.upper for j in range(n)], dtype=bool)
        upper[integer & unbounded] = 1.0
        costs = np.zeros(n)
        costs[list(self.costs)] = list(self.costs.values())
        return assemble(
            self.path.name,
            Columns(tuple(self.column_index), costs, lower, upper, integer),
            self._rows(n),
            sense=self.sense or "min",
            constant=self.constant or 0.0,
            Q=self._quadratic(end, n),
        )

    def _rows(self, n: int) -> RowBounds:
        m = len(self.kinds)
        low, up = np.full(m, -np.inf), np.full(m, np.inf)
        for i, kind in enumerate(self.kinds):
            side, width = self.sides.get(i, 0.0), self.ranges.get(i)
            if kind in "EG":
                low[i] = side
            if kind in "EL":
                up[i] = side
            if width is not None:
                # of an equality the sign says which way the range goes
                if kind == "L" or (kind == "E" and width < 0):
                    low[i] = side - abs(width)
                else:
                    up[i] = side + abs(width)
        where = np.array(list(self.entries), dtype=np.int64).reshape(-1, 2)
        values = np.array(list(self.entries.values()))
        matrix = sparse.csr_array((values, (where[:, 0], where[:, 1])), shape=(m, n))
        matrix.eliminate_zeros()
        return RowBounds(tuple(self.row_index), matrix, low, up)

    def _quadratic(self, end: Place, n: int) -> sparse.csr_array | None:
        if not self.products:
            return None
        where = np.array(list(self.products), dtype=np.int64)
        Q = sparse.csr_array((list(self.products.values()), (where[:, 0], where[:, 1])), shape=(n, n))
        if not self.square:
            Q = Q + sparse.tril(Q, -1).T
        elif abs(Q - Q.T).max() > 0:
            raise end.refusal("QMATRIX is not symmetric")
        Q = sparse.csr_array(Q)
        Q.eliminate_zeros()
        return Q
