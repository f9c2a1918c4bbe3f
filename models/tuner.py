"""Hyper-parameters of a relaxation chosen on the validation set, at a cost that is counted."""

from __future__ import annotations

import copy
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tuned:
    """The config and relaxation node of the best trial, and what finding it took.

    Attributes:
        trials: per grid point its values and its validation regret.
        seconds: wall-clock time of all trials, to be added to that of the training.
    """

    cfg: DictConfig
    relaxation: DictConfig
    trials: list[dict[str, Any]]
    seconds: float


def tune(
    cfg: DictConfig,
    relaxation: DictConfig,
    assemble: Callable[[DictConfig, DictConfig], pl.LightningModule],
    data: pl.LightningDataModule,
) -> Tuned | None:
    """Train every point of `relaxation.tune.grid` for `tune.epochs` and keep the best; None if epochs = 0.

    Grid keys are those of the relaxation's layer, or `learning_rate`. An annealing is shortened to
    the trial's length, so that every trial sees the whole of it. All trials start from the same
    weights and are judged on the validation set; the test set is not touched.

    Args:
        assemble: (cfg, relaxation) -> a fresh module.
    """
    settings = relaxation.get("tune")
    if settings is None or settings.epochs < 1:
        return None
    start = time.perf_counter()
    names, choices = list(settings.grid), [list(values) for values in settings.grid.values()]
    trials: list[dict[str, Any]] = []
    best: tuple[DictConfig, DictConfig] | None = None
    for values in itertools.product(*choices):
        point = dict(zip(names, values, strict=True))
        chosen = _with(cfg, relaxation, point)
        module = assemble(chosen[0], _shortened(chosen[1], settings.epochs / cfg.trainer.max_epochs))
        trainer = pl.Trainer(
            accelerator=cfg.trainer.accelerator,
            devices=cfg.trainer.devices,
            max_epochs=settings.epochs,
            limit_val_batches=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, datamodule=data)
        judge = pl.Trainer(
            accelerator=cfg.trainer.accelerator, devices=cfg.trainer.devices, logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        regret = judge.validate(module, datamodule=data, verbose=False)[0]["val/regret"]
        log.info("%s: %s, validation regret %.4f", relaxation.name, point, regret)
        if best is None or regret < min(trial["val_regret"] for trial in trials):
            best = chosen
        trials.append({**point, "val_regret": regret})
    assert best is not None
    return Tuned(*best, trials, time.perf_counter() - start)


def _with(cfg: DictConfig, relaxation: DictConfig, point: dict[str, Any]) -> tuple[DictConfig, DictConfig]:
    chosen_cfg, chosen = copy.deepcopy(cfg), copy.deepcopy(relaxation)
    for key, value in point.items():
        if key == "learning_rate":
            chosen_cfg.learning_rate = value
        else:
            OmegaConf.update(chosen, f"layer.{key}", value)
    return chosen_cfg, chosen


def _shortened(relaxation: DictConfig, share: float) -> DictConfig:
    if "anneal_steps" not in relaxation.layer:
        return relaxation
    trial = copy.deepcopy(relaxation)
    trial.layer.anneal_steps = max(1, round(share * relaxation.layer.anneal_steps))
    return trial
