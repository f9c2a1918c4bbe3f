"""What joins a report after its run: the row of a checkpoint, the jobs of a multirun."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from diffcomb.errors import InvalidInstanceError
from diffcomb.protocol.report.report import Report, write_report
from diffcomb.protocol.setup.store import Row, Store


def check_report(folder: str | Path) -> None:
    """Raise InvalidInstanceError where `folder` is no run folder of the protocol."""
    if not any(Path(folder).glob("plan-*.json")):
        raise InvalidInstanceError(
            f"{folder} is no run folder of the protocol; run experiment=protocol_... ."
        )


def add_to_report(folder: str | Path, row: dict[str, Any], checkpoint: str) -> Report:
    """Add a checkpoint's row to the report of a protocol's run folder; the same checkpoint replaces it."""
    check_report(folder)
    store = Store(folder)
    named: Row = {
        "problem": "checkpoints",
        "size": str(row["problem"]),
        "trial": 0,
        "method": f"{row['method']} ({row['loss']})",
        "group": "end_to_end",
        "x": None,
        "note": checkpoint,
    }
    key = f"checkpoint-{hashlib.sha256(str(Path(checkpoint).resolve()).encode()).hexdigest()[:12]}"
    store.write(key, [{**named, "quantity": "regret", "value": row["test_regret"]}])
    store.expect(key, [key])
    command = store.folder / "command.txt"
    return write_report(store, command.read_text() if command.exists() else "python evaluate.py")


class ReportSweep(Callback):
    """Hydra callback: after a multirun of protocol jobs, one report of all of them."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Merge and report in the sweep folder."""
        folder = Path(config.hydra.sweep.dir)
        if any(folder.glob("plan-*.json")):
            overrides = " ".join(map(str, config.hydra.overrides.task))
            report = write_report(Store(folder), f"python evaluate.py -m {overrides}")
            print(f"{summary(report.rows)}\nreport: {report.folder / 'report.md'}")


def summary(rows: pd.DataFrame) -> str:
    """One line: cells and their CPU time."""
    spent = rows[rows["quantity"] == "cell_seconds"]
    failed = int((rows["quantity"] == "failed").sum())
    return f"{len(spent)} cells, {spent['value'].sum():.0f} CPU s, {failed} failed"
