"""The typed roots of the two commands: a misspelt or mistyped key is refused when it is composed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, OmegaConf

from diffcomb.problems import every_oracle_name
from diffcomb.protocol.setup.settings import OracleConfig, ProtocolConfig


@dataclass
class TrainConfig:
    """`python train.py`; every group is explained in its YAML files under conf/."""

    problem: dict[str, Any] = field(default_factory=dict)
    oracle: OracleConfig = field(default_factory=OracleConfig)
    solver: dict[str, Any] = field(default_factory=dict)
    relaxation: dict[str, Any] = field(default_factory=dict)
    #: trained beside it for comparison, from the relaxation group; relaxation@control=none: nothing
    control: dict[str, Any] = field(default_factory=dict)
    #: one more of the same kind
    second_control: dict[str, Any] = field(default_factory=dict)
    loss: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    datamodule: dict[str, Any] = field(default_factory=dict)
    trainer: dict[str, Any] = field(default_factory=dict)
    logger: dict[str, Any] = field(default_factory=dict)
    callbacks: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    #: positive number, or auto
    rho: Any = "auto"
    learning_rate: float = 1e-2
    weight_decay: float = 0.0
    #: checkpoint to resume from
    resume: str | None = None
    output_dir: str = MISSING


@dataclass
class EvaluateConfig:
    """`python evaluate.py`; what is null is taken from the checkpoint."""

    checkpoint: str | None = None
    problem: dict[str, Any] | None = None
    oracle: OracleConfig = field(default_factory=OracleConfig)
    solver: dict[str, Any] = field(default_factory=dict)
    datamodule: dict[str, Any] | None = None
    #: the experimental protocol, chosen with experiment=protocol_...
    protocol: ProtocolConfig | None = None
    #: run folder of a protocol that the checkpoint's row joins
    report: str | None = None
    wandb: bool = True
    seed: int = 0
    rho: Any = "auto"
    output_dir: str = MISSING


def register_configs() -> None:
    """Make the schemas, an option of the oracle group for each oracle, and ${new_run:} known to Hydra."""
    store = ConfigStore.instance()
    store.store(name="train_schema", node=TrainConfig)
    store.store(name="evaluate_schema", node=EvaluateConfig)
    for name in every_oracle_name():
        store.store(group="oracle", name=name, node=OracleConfig(name=name))
    OmegaConf.register_new_resolver("new_run", new_run, use_cache=True, replace=True)


def new_run() -> str:
    """Name of a run folder: when it began, and letters that two runs of the same second do not share."""
    return f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{secrets.token_hex(3)}"
