"""Finished cells on disk: one Parquet part each, complete or absent, merged at the end.

A part is written beside its place and renamed into it, which is atomic: a kill at any moment leaves
either the whole part or none, and a cell whose part exists is never run again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

#: tidy: one number a row. x: place on an axis (ratio, epoch), note: what it is compared with, or why not
SCHEMA = pa.schema(
    [
        ("problem", pa.string()),
        ("size", pa.string()),
        ("trial", pa.int64()),
        ("method", pa.string()),
        ("group", pa.string()),
        ("quantity", pa.string()),
        ("x", pa.float64()),
        ("value", pa.float64()),
        ("note", pa.string()),
    ]
)


class Store:
    """The parts in `folder`/cells.

    Args:
        folder: of the run; several processes, and several machines over a shared disk, may write.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.cells = self.folder / "cells"
        self.cells.mkdir(parents=True, exist_ok=True)

    def finished(self) -> set[str]:
        return {path.stem for path in self.cells.glob("*.parquet")}

    def write(self, key: str, rows: list[Row]) -> None:
        """All rows of a cell, at once."""
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        with _whole(self.cells / f"{key}.parquet") as unfinished:
            pq.write_table(table, unfinished)

    def expect(self, name: str, keys: list[str]) -> None:
        """Remember which cells make up a run called `name`; `merge` reads those and no others."""
        path = self.folder / f"plan-{name}.json"
        with _whole(path) as unfinished:
            unfinished.write_text(json.dumps(keys))

    def expected(self) -> list[str]:
        """Keys of all plans in this folder, each once."""
        keys: dict[str, None] = {}
        for path in sorted(self.folder.glob("plan-*.json")):
            keys.update(dict.fromkeys(json.loads(path.read_text())))
        return list(keys)

    def merge(self) -> pa.Table:
        """Rows of all expected cells that are finished, in the plan's order; also results.parquet."""
        done = self.finished()
        parts = [
            pq.ParquetFile(self.cells / f"{key}.parquet").read() for key in self.expected() if key in done
        ]
        table = pa.concat_tables([SCHEMA.empty_table(), *parts])
        with _whole(self.folder / "results.parquet") as unfinished:
            pq.write_table(table, unfinished)
        return table


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A place to write to; `path` appears only when all is written.

    The name is this process's own: two that write the same file both succeed.
    """
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.unfinished")
    yield unfinished
    os.replace(unfinished, path)
