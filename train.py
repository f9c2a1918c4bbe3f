"""Train an encoder through a decision layer: `python train.py problem=tsp solver=kkt`, or --help."""

from __future__ import annotations

import copy
import logging
import math
import os
import time
import warnings
from pathlib import Path
from typing import Any

import hydra
import pytorch_lightning as pl
import torch
import wandb
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from datamodules import Reporting
from diffcomb.figures import save_decision_figure
from diffcomb.protocol import (
    claim,
    format_results,
    launch,
    refusal,
    register_configs,
    run_command,
    save_results,
    say,
)
from models import (
    DimesMetaSolver,
    Parts,
    TrainingModule,
    assemble,
    check_limits,
    continue_in,
    describe,
    instances,
    is_child,
    own_problems,
    sets_for,
    tune,
    validate,
    wait_for_all,
)

log = logging.getLogger(__name__)
register_configs()


def train(cfg: DictConfig) -> dict[str, Any]:
    """Train, test and compare with the control and the optimum.

    Returns:
        {"rows": result rows, "objective": validation regret of the best checkpoint, what a sweeper minimises,
        "checkpoint": path of that one, "output_dir": run folder}.
    """
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    parts = validate(cfg)
    data, folder = parts.data, Path(cfg.output_dir)
    data.prepare_data()
    for stage in ("fit", "test"):
        data.setup(stage)
    check_limits(cfg.trainer, data)
    if not is_child():
        claim(folder, OmegaConf.to_yaml(cfg, resolve=True))

    named = {"problem": type(parts.problem).__name__, "seed": cfg.seed}
    rows: list[dict[str, Any]] = [{**named, "method": "exact optimum", "test_regret": 0.0}]
    modules = {}
    objective = math.nan
    for name, method in parts.methods.items():
        tuned = tune(cfg, method, lambda c, m: _assemble(c, m, parts), data)
        chosen = (cfg, method) if tuned is None else (tuned.cfg, tuned.method)
        modules[name] = _assemble(*chosen, parts)
        row, objective = _fit(cfg, method, modules[name], data, folder / name)
        if tuned is not None:
            row |= {"tuning_seconds": tuned.seconds, "tuning_trials": len(tuned.trials)}
        rows.append({**named, **row})
        if not is_child():
            table = save_results(rows, folder)  # after each method: a later failure loses nothing
    if not is_child():
        if isinstance(data, Reporting):
            encoders = {name: module.eval().get_submodule("encoder") for name, module in modules.items()}
            say(format_results(data.report(encoders, folder)))
        else:
            _draw(parts, modules, folder / "decisions.png")
        say(f"\n{format_results(table)}\n\nrun folder: {folder}")
    return {
        "rows": rows,
        "objective": objective,
        "checkpoint": str(folder / cfg.relaxation.name / "checkpoints/best.ckpt"),
        "output_dir": str(folder),
    }


def _assemble(cfg: DictConfig, method: DictConfig, parts: Parts) -> TrainingModule | DimesMetaSolver:
    pl.seed_everything(cfg.seed, workers=True, verbose=False)  # all methods start from the same weights
    module = assemble(cfg, method, parts.problem, parts.data)
    # what evaluate.py needs to rebuild the module from the checkpoint alone
    stored = {"config": _rebuildable(cfg, method), "problem": describe(parts.problem)}
    module.save_hyperparameters(stored, logger=False)
    return module


def _fit(
    cfg: DictConfig,
    method: DictConfig,
    module: TrainingModule | DimesMetaSolver,
    data: Any,
    folder: Path,
) -> tuple[dict[str, Any], float]:
    """Train one method and test its best checkpoint; returns its row and its validation regret."""
    callbacks = [instantiate(node) for node in (cfg.callbacks or {}).values() if node is not None]
    for callback in callbacks:
        if isinstance(callback, pl.callbacks.ModelCheckpoint):
            callback.dirpath = str(folder / "checkpoints")
    loggers = [
        instantiate(node, save_dir=str(folder), name=method.name if "wandb" in key else "csv")
        for key, node in (cfg.logger or {}).items()
        if node is not None
    ]
    if any(isinstance(logger, pl.loggers.WandbLogger) for logger in loggers) and not is_child():
        folder.mkdir(parents=True, exist_ok=True)
    root = cfg.trainer.get("default_root_dir", str(folder))
    trainer: pl.Trainer = instantiate(cfg.trainer, logger=loggers, callbacks=callbacks, default_root_dir=root)
    if not is_child():
        log.info("Training %s", method.name)
    start = time.perf_counter()
    try:
        resume = None
        if cfg.resume and method is cfg.relaxation:
            resume = _resume_in(folder / "checkpoints", cfg.resume)
        trainer.fit(module, **sets_for(trainer, data, "train", "val"), ckpt_path=resume, weights_only=False)
        seconds = time.perf_counter() - start
        last_score = trainer.callback_metrics.get("val/regret", math.nan)
        best = trainer.checkpoint_callback
        metrics = trainer.test(
            module,
            **sets_for(trainer, data, "test"),
            ckpt_path=getattr(best, "best_model_path", None) or None,
            verbose=False,
            weights_only=False,
        )
    except (MisconfigurationException, wandb.errors.Error) as error:
        raise refusal(error, f"{method.name} cannot be trained") from error
    finally:
        wandb.finish()
    own_layer = method.get("layer") is not None or method.get("module") is not None
    row = {
        "method": method.name,
        "loss": type(module.loss).__name__,
        "rho": "-" if own_layer else str(cfg.rho),
        "test_regret": metrics[0]["test/regret"],
        "train_seconds": seconds,
        # controls that a method reports beside its own regret
        **{
            key.removeprefix("test/"): value
            for key, value in metrics[0].items()
            if key.startswith("test/regret_")
        },
    }
    score = getattr(best, "best_model_score", None)
    return row, float(last_score if score is None else score)


def _resume_in(folder: Path, checkpoint: str) -> Path:
    if not is_child():
        continue_in(checkpoint, folder)
    wait_for_all()
    return folder / Path(checkpoint).name


def _rebuildable(cfg: DictConfig, method: DictConfig) -> dict[str, Any]:
    stored = copy.deepcopy(cfg)
    with open_dict(stored):
        stored.relaxation = method
    container = OmegaConf.to_container(stored, resolve=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def _draw(parts: Parts, trained: dict[str, TrainingModule | DimesMetaSolver], path: Path) -> None:
    """Decisions on the first test instances, where the data say where things lie."""
    batch = next(iter(parts.data.test_dataloader()))
    if "positions" not in batch:
        return
    own = own_problems(batch)
    decided = {}
    for name, module in trained.items():
        module.eval()
        with torch.no_grad():
            decided[name] = module.layer(module(batch), *own)[:3]
    problems: Any = own[0] if own else parts.problem
    positions = batch.positions.split(batch.ptr.diff().tolist())[:3]
    optimal, costs = (instances(batch, field)[:3] for field in ("decisions", "costs"))
    save_decision_figure(path, problems, positions, optimal, decided, costs)


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> float:
    """What a sweeper minimises: the validation regret."""
    os.environ.setdefault("WANDB_SILENT", "true")  # its run folder is below ours
    # Lightning's advice on workers and log intervals is noise for sets that fit in memory
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    return float(run_command(train, cfg)["objective"])


if __name__ == "__main__":
    launch(main)
