"""Hyper-parameters of a method chosen on the validation set, at a cost that is counted."""

from __future__ import annotations

import copy
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
from omegaconf import DictConfig, ListConfig, OmegaConf

from diffcomb.errors import InvalidConfigError
from diffcomb.protocol import check_types, parameters_of, target_of
from models.processes import sets_for

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tuned:
    """The config and method node of the best trial, and what finding it took.

    Attributes:
        trials: per grid point its values and its validation regret.
        seconds: wall-clock time of all trials, to be added to that of the training.
    """

    cfg: DictConfig
    method: DictConfig
    trials: list[dict[str, Any]]
    seconds: float


def check_tuning(method: DictConfig) -> None:
    """Refuse a grid whose keys are none, or whose values no layer takes.

    Raises:
        InvalidConfigError: naming the key.
    """
    settings = method.get("tune")
    if settings is None or not settings.get("epochs"):
        return
    grid = settings.get("grid")
    if not isinstance(grid, DictConfig) or method.get("layer") is None:
        raise InvalidConfigError(f"{method.name}.tune needs a layer, and a grid of its arguments.")
    takes = parameters_of(target_of(method.layer, f"{method.name}.layer"))
    for key, values in ((str(key), values) for key, values in grid.items()):
        if key != "learning_rate" and key not in takes:
            known = ", ".join(name for name in takes if name not in ("self", "problem"))
            raise InvalidConfigError(
                f"{method.name}.tune.grid.{key}: choose learning_rate or one of {known}."
            )
        if not isinstance(values, ListConfig) or len(values) == 0:
            raise InvalidConfigError(f"{method.name}.tune.grid.{key} must be a list of values to try.")
        for value in values:
            _, point = with_point(OmegaConf.create({"learning_rate": 0.0}), method, {key: value})
            check_types(point, str(method.name))


def tune(
    cfg: DictConfig,
    method: DictConfig,
    assemble: Callable[[DictConfig, DictConfig], pl.LightningModule],
    data: pl.LightningDataModule,
) -> Tuned | None:
    """Train every point of `method.tune.grid` for `tune.epochs` and keep the best; None if epochs = 0.

    Grid keys are those of the method's layer, or `learning_rate`. An annealing is shortened to
    the trial's length, so that every trial sees the whole of it. All trials start from the same
    weights and are judged on the validation set; the test set is not touched.

    Args:
        assemble: (cfg, method) -> a fresh module.
    """
    points = grid_points(method)
    if not points:
        return None
    start = time.perf_counter()
    trials: list[dict[str, Any]] = []
    best: tuple[DictConfig, DictConfig] | None = None
    epochs = method.tune.epochs
    for point in points:
        chosen = with_point(cfg, method, point)
        module = assemble(chosen[0], _shortened(chosen[1], epochs / cfg.trainer.max_epochs))
        trainer = _quiet_trainer(cfg, max_epochs=epochs, limit_val_batches=0)
        trainer.fit(module, **sets_for(trainer, data, "train", "val"))
        judge = _quiet_trainer(cfg)
        regret = judge.validate(module, **sets_for(judge, data, "val"), verbose=False)[0]["val/regret"]
        log.info("%s: %s, validation regret %.4f", method.name, point, regret)
        if best is None or regret < min(trial["val_regret"] for trial in trials):
            best = chosen
        trials.append({**point, "val_regret": regret})
    assert best is not None
    return Tuned(*best, trials, time.perf_counter() - start)


def grid_points(method: DictConfig) -> list[dict[str, Any]]:
    """Every combination of the values of `method.tune.grid`; none if there is nothing to tune."""
    settings = method.get("tune")
    if settings is None or not settings.get("epochs"):
        return []
    names, choices = list(settings.grid), [list(values) for values in settings.grid.values()]
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*choices)]


def _quiet_trainer(cfg: DictConfig, **options: Any) -> pl.Trainer:
    return pl.Trainer(
        accelerator=cfg.trainer.accelerator,
        devices=cfg.trainer.devices,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )


def with_point(cfg: DictConfig, method: DictConfig, point: dict[str, Any]) -> tuple[DictConfig, DictConfig]:
    """The config and the method with one point of the grid set."""
    chosen_cfg, chosen = copy.deepcopy(cfg), copy.deepcopy(method)
    for key, value in point.items():
        if key == "learning_rate":
            chosen_cfg.learning_rate = value
        else:
            OmegaConf.update(chosen, f"layer.{key}", value)
    return chosen_cfg, chosen


def _shortened(method: DictConfig, share: float) -> DictConfig:
    if "anneal_steps" not in method.layer:
        return method
    trial = copy.deepcopy(method)
    trial.layer.anneal_steps = max(1, round(share * method.layer.anneal_steps))
    return trial
