"""The protocol from a composed config: run what is missing, write the report."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from diffcomb.cores import available_cores
from diffcomb.errors import InvalidInstanceError
from diffcomb.protocol.check_settings import check_settings
from diffcomb.protocol.report import Report, write_report
from diffcomb.protocol.run_cells import run_cells
from diffcomb.protocol.settings import ProtocolConfig
from diffcomb.protocol.store import Row, Store

log = logging.getLogger(__name__)

#: what tells the folder of a protocol from others
PROTOCOL_FILES = ("cells", "command.txt")


def run_protocol(cfg: DictConfig) -> Report:
    """Run the cells of `cfg.protocol` that `output_dir` does not have yet; then the report.

    In a multirun all jobs write into the sweep's folder, each its shard or its problem; reports written
    meanwhile cover what is finished, the one at the end everything.
    """
    settings = settings_of(cfg)
    check_settings(settings)
    store = Store(protocol_folder(cfg))
    command = command_of(cfg)
    (store.folder / "command.txt").write_text(command)
    log.info(
        "%s\nwrites below %s; repeated with output_dir=%s it goes on", command, store.folder, store.folder
    )
    # shards of one problem make up one plan
    name = hashlib.sha256(f"{settings.problem} {settings.scale}".encode()).hexdigest()[:8]
    run_cells(settings, store, name)
    return write_report(store, command)


def settings_of(cfg: DictConfig) -> ProtocolConfig:
    """The typed settings with all interpolations resolved."""
    if cfg.protocol is None:
        raise InvalidInstanceError("No protocol chosen; use experiment=protocol_tsp, for example.")
    typed = OmegaConf.structured(ProtocolConfig)
    values = OmegaConf.to_container(cfg.protocol, resolve=True)
    settings = OmegaConf.to_object(OmegaConf.merge(typed, values, {"oracle": cfg.oracle}))
    assert isinstance(settings, ProtocolConfig)
    settings.workers = settings.workers or available_cores()
    return settings


def protocol_folder(cfg: DictConfig) -> Path:
    """output_dir; in a multirun the folder above the jobs' own."""
    folder = Path(cfg.output_dir)
    in_sweep = HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN
    return folder.parent if in_sweep else folder


def command_of(cfg: DictConfig) -> str:
    """What to type for the same run."""
    if HydraConfig.initialized():
        return " ".join(["python evaluate.py", *HydraConfig.get().overrides.task])
    return f"python evaluate.py experiment=protocol_{cfg.protocol.problem}"


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
