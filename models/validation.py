"""One validation of the whole config of a training, before anything is written."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import wandb
from omegaconf import DictConfig
from pytorch_lightning.loggers import WandbLogger
from torch import nn

from diffcomb.errors import InvalidConfigError
from diffcomb.problems import Problem, ProblemFamily
from diffcomb.protocol import (
    TrainConfig,
    allocations_refused,
    arguments_of,
    build,
    check_output,
    check_types,
    check_values,
    check_writable,
    parameters_of,
    problem_bytes,
    refuse_beyond_memory,
    shown,
    target_of,
)
from models.assembly import assemble, build_data, describe_data
from models.checkpoint import read_checkpoint, refuse_other_weights
from models.processes import is_child
from models.rehearsal import rehearse
from models.tuner import check_tuning, grid_points, with_point

#: instances that every method is tried on
_TINY = 2
_METHOD_KEYS = {"name", "layer", "loss", "module", "tune"}
#: what a checkpoint can be chosen by
_LOGGED = ("val/regret", "train/loss", "layer/share", "layer/rho", "layer/kkt_residual")


@dataclass(frozen=True)
class Parts:
    """What a valid config is made of.

    Attributes:
        methods: name -> node of the relaxation group, controls first, the one that is trained for last.
    """

    problem: Problem | ProblemFamily
    data: Any
    methods: dict[str, DictConfig]


def validate(cfg: DictConfig) -> Parts:
    """Check every value, build every part and try all methods on a tiny batch; nothing is written.

    Raises:
        DiffcombError: one sentence that names the key and what does not fit.
    """
    if not is_child():
        check_output(cfg.output_dir)
    check_values(cfg, TrainConfig)
    for group in ("problem", "solver", "loss", "model", "datamodule", "trainer", "logger", "callbacks"):
        check_types(cfg[group], group)
    methods = methods_of(cfg)
    for name, node in methods.items():
        check_types(node, name)
        check_tuning(node)
    _check_tracking(cfg)
    trainer = _trainer(cfg)
    with allocations_refused():
        refuse_beyond_memory(problem_bytes(cfg.problem), "The problem", "size in problem.*")
        problem = _problem(cfg)
        _check_resume(cfg, problem)
        data = _data(cfg, problem)
        _check_sizes(cfg, problem, data)
        _rehearse(cfg, Parts(problem, data, methods), trainer)
    return Parts(problem, data, methods)


def methods_of(cfg: DictConfig) -> dict[str, DictConfig]:
    """The methods of a training by name: controls that are no `none`, then the relaxation itself."""
    found: dict[str, DictConfig] = {}
    for group in ("control", "second_control", "relaxation"):
        node = cfg[group]
        if not node and group != "relaxation":
            continue
        _check_method(node, group)
        if group != "relaxation" and node.get("layer") is None and node.get("module") is None:
            continue
        name = str(node.name)
        if name in found and found[name] != node:
            raise InvalidConfigError(f"Two different methods are called {name}; set {group}.name to another.")
        found[name] = node
    own = cfg.relaxation
    return {name: node for name, node in found.items() if node is not own} | {str(own.name): own}


def _check_method(node: Any, group: str) -> None:
    if not isinstance(node, DictConfig | dict) or "name" not in node:
        raise InvalidConfigError(
            f"{group} must be an option of conf/relaxation, or a node with a name, a layer and a loss."
        )
    name = node["name"]
    if not isinstance(name, str) or not name.strip() or name != Path(name).name or name.startswith("."):
        raise InvalidConfigError(f"{group}.name names a folder and must be a plain name, got {shown(name)}.")
    if unknown := set(map(str, node)) - _METHOD_KEYS:
        raise InvalidConfigError(
            f"{group}.{sorted(unknown)[0]} means nothing; a method has {', '.join(sorted(_METHOD_KEYS))}."
        )
    for part in ("layer", "loss", "module"):
        if node.get(part) is not None:
            target_of(node[part], f"{group}.{part}")


def _check_tracking(cfg: DictConfig) -> None:
    """Loggers and callbacks: known, and choosing by something that is logged."""
    for key, node in (cfg.logger or {}).items():
        if node is None:
            continue
        logger = build(node, key=f"logger.{key}", save_dir=str(cfg.output_dir))
        mode = node.get("mode")
        if isinstance(logger, WandbLogger):
            known = {*parameters_of(WandbLogger), *parameters_of(wandb.init)}
            if unknown := [name for name in arguments_of(node) if name not in known]:
                raise InvalidConfigError(f"logger.{key}.{unknown[0]} is no argument of wandb.init.")
        if mode not in (None, "online", "offline", "disabled", "shared"):
            raise InvalidConfigError(
                f"logger.{key}.mode (WANDB_MODE) must be online, offline or disabled, got {shown(mode)}."
            )
    for key, node in (cfg.callbacks or {}).items():
        monitor = node.get("monitor") if isinstance(node, DictConfig) else None
        if monitor is not None and monitor not in _LOGGED:
            raise InvalidConfigError(
                f"callbacks.{key}.monitor must be one of {', '.join(_LOGGED)}, got {shown(monitor)}."
            )


def _trainer(cfg: DictConfig) -> pl.Trainer:
    callbacks = [
        build(node, key=f"callbacks.{key}") for key, node in (cfg.callbacks or {}).items() if node is not None
    ]
    trainer = build(cfg.trainer, key="trainer", logger=False, callbacks=callbacks)
    if not isinstance(trainer, pl.Trainer):
        raise InvalidConfigError(
            f"trainer must build a pytorch_lightning.Trainer, got {type(trainer).__name__}."
        )
    return trainer


def _problem(cfg: DictConfig) -> Problem | ProblemFamily:
    problem = build(cfg.problem, key="problem")
    if not isinstance(problem, Problem | ProblemFamily):
        raise InvalidConfigError(
            f"problem must build a Problem or a ProblemFamily, got {type(problem).__name__}."
        )
    return problem


def _data(cfg: DictConfig, problem: Problem | ProblemFamily) -> Any:
    target = target_of(cfg.datamodule, "datamodule")
    if inspect.isclass(target) and not issubclass(target, pl.LightningDataModule):
        raise InvalidConfigError(
            f"datamodule {target.__name__} is no LightningDataModule to train on; choose learned_costs, say."
        )
    data = build_data(cfg, problem)
    cache = getattr(data, "cache_dir", None)
    if isinstance(cache, Path) and not is_child():
        check_writable(cache, "datamodule.cache_dir")
    return data


def _check_resume(cfg: DictConfig, problem: Problem | ProblemFamily) -> None:
    if cfg.resume is None:
        return
    stored = read_checkpoint(cfg.resume, problem)
    if stored["epoch"] + 1 >= cfg.trainer.max_epochs:
        raise InvalidConfigError(
            f"{cfg.resume} has been trained for {stored['epoch'] + 1} epochs; raise trainer.max_epochs above."
        )


def _check_sizes(cfg: DictConfig, problem: Problem | ProblemFamily, data: Any) -> None:
    """Data and network against the machine's memory, before either is made."""
    counts, instance_bytes = getattr(data, "counts", None), getattr(data, "instance_bytes", None)
    if isinstance(counts, Mapping) and callable(instance_bytes):
        # drawn as blocks, then as graphs
        count = sum(counts.values())
        needed = 2.0 * count * instance_bytes()
        refuse_beyond_memory(needed, f"The data set of {count} instances", "problem or data set")
    weights = _encoder_bytes(cfg.model, **describe_data(problem, data))
    refuse_beyond_memory(weights, "The model", "model.hidden or model.num_layers")


def _encoder_bytes(node: Any, **features: object) -> float:
    """Weights, gradients and both moments of AdamW; counted without making them."""
    with torch.device("meta"):
        encoder: nn.Module = build(node, key="model", **features)
    return 4.0 * sum(p.numel() * p.element_size() for p in encoder.parameters())


def _rehearse(cfg: DictConfig, parts: Parts, trainer: pl.Trainer) -> None:
    batch = sample(parts.data, _TINY)
    for name, node in parts.methods.items():
        for point in grid_points(node):
            assemble(*with_point(cfg, node, point), parts.problem, parts.data)
        module = assemble(cfg, node, parts.problem, parts.data)
        if cfg.resume and node is cfg.relaxation:
            refuse_other_weights(cfg.resume, module)
        _check_supervision(name, module, parts.data)
        kept = rehearse(name, module, batch, trainer)
        size = getattr(parts.data, "batch_size", 1)
        refuse_beyond_memory(kept * size, f"A training step of {name}", "datamodule.batch_size or model")


def check_limits(trainer: DictConfig, data: Any) -> None:
    """Refuse shares of batches that are no batch of the sets that are there."""
    for split in ("train", "val", "test"):
        limit = trainer.get(f"limit_{split}_batches")
        loader = getattr(data, f"{split}_dataloader")()
        if isinstance(limit, float) and hasattr(loader, "__len__") and int(limit * len(loader)) < 1:
            raise InvalidConfigError(
                f"trainer.limit_{split}_batches {limit} of {len(loader)} batches is none;"
                " give a number of batches."
            )
    batches, every = data.train_dataloader(), trainer.get("val_check_interval")
    if isinstance(every, int) and hasattr(batches, "__len__") and every > len(batches):
        raise InvalidConfigError(
            f"trainer.val_check_interval {every} is more than the {len(batches)} batches of an epoch."
        )


def _check_supervision(name: str, module: Any, data: Any) -> None:
    missing = set(getattr(module, "supervision", ())) - set(
        getattr(data, "supervision", ("costs", "decisions"))
    )
    if missing:
        raise InvalidConfigError(
            f"{name}: {type(module.loss).__name__} learns from {' and '.join(sorted(missing))}, which the"
            " training set does not have; choose another loss, or datamodule.label_train=true where there is"
            " such a key."
        )


def sample(data: Any, count: int) -> Any:
    """`count` instances as a batch, drawn for the occasion; of data modules that cannot, the first batch."""
    draw = getattr(data, "sample", None)
    if callable(draw):
        return draw(count)
    data.prepare_data()
    data.setup("fit")
    return next(iter(data.train_dataloader()))
