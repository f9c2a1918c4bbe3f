"""The protocol from a composed config: run what is missing, write the report."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from diffcomb.cores import available_cores
from diffcomb.errors import InvalidInstanceError
from diffcomb.protocol.report.report import Report, write_report
from diffcomb.protocol.run.check_settings import check_settings
from diffcomb.protocol.run.run_cells import run_cells
from diffcomb.protocol.setup.settings import ProtocolConfig
from diffcomb.protocol.setup.store import Store

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
