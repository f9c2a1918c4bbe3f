"""Train an encoder through a decision layer: `python train.py problem=tsp solver=kkt`, or --help."""

from __future__ import annotations

import copy
import logging
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

from datamodules import LearnedCostsDataModule, Reporting, RoadsDataModule
from diffcomb.problems import Problem, ProblemFamily
from diffcomb.protocol import (
    format_results,
    register_configs,
    run_command,
    save_decision_figure,
    save_results,
)
from models import (
    DimesMetaSolver,
    TrainingModule,
    assemble,
    continue_in,
    describe,
    instances,
    own_problems,
    read_checkpoint,
    tune,
)

log = logging.getLogger(__name__)
register_configs()


def train(cfg: DictConfig) -> dict[str, Any]:
    """Train, test and compare with the control and the optimum.

    Returns:
        {"rows": result rows, "checkpoint": path of the best one, "output_dir": run folder}.
    """
    folder = Path(cfg.output_dir)
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    problem: Problem | ProblemFamily = instantiate(cfg.problem)
    if cfg.resume:
        read_checkpoint(cfg.resume, problem)  # refuse before anything is written
    data: LearnedCostsDataModule | RoadsDataModule = instantiate(cfg.datamodule, problem)
    controls = [control for control in (cfg.control, cfg.second_control) if control.layer is not None]
    relaxations = [*controls, cfg.relaxation]
    relaxations = list({relaxation.name: relaxation for relaxation in relaxations}.values())
    # bad input shows here, before anything is written
    modules = {relaxation.name: _assemble(cfg, relaxation, problem, data) for relaxation in relaxations}
    data.prepare_data()
    data.setup()
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(cfg, folder / "config.yaml", resolve=True)

    named = {"problem": type(problem).__name__, "seed": cfg.seed}
    rows: list[dict[str, Any]] = [{**named, "method": "exact optimum", "test_regret": 0.0}]
    for relaxation in relaxations:
        name = relaxation.name
        tuned = tune(cfg, relaxation, lambda c, r: _assemble(c, r, problem, data), data)
        if tuned is not None:
            modules[name] = _assemble(tuned.cfg, tuned.relaxation, problem, data)
        row = _fit(cfg, relaxation, modules[name], data, folder / name)
        if tuned is not None:
            row |= {"tuning_seconds": tuned.seconds, "tuning_trials": len(tuned.trials)}
        rows.append({**named, **row})
        table = save_results(rows, folder)  # after each method: a later failure loses nothing
    if isinstance(data, Reporting):
        encoders = {name: module.eval().get_submodule("encoder") for name, module in modules.items()}
        print(format_results(data.report(encoders, folder)))
    else:
        _draw(data, modules, folder / "decisions.png")
    print(f"\n{format_results(table)}\n\nrun folder: {folder}")
    return {
        "rows": rows,
        "checkpoint": str(folder / cfg.relaxation.name / "checkpoints/best.ckpt"),
        "output_dir": str(folder),
    }


def _assemble(
    cfg: DictConfig,
    relaxation: DictConfig,
    problem: Problem | ProblemFamily,
    data: LearnedCostsDataModule | RoadsDataModule,
) -> TrainingModule | DimesMetaSolver:
    pl.seed_everything(cfg.seed, workers=True, verbose=False)  # all methods start from the same weights
    module = assemble(cfg, relaxation, problem, data.node_features, data.edge_features)
    # what evaluate.py needs to rebuild the module from the checkpoint alone
    stored = {"config": _rebuildable(cfg, relaxation), "problem": describe(problem)}
    module.save_hyperparameters(stored, logger=False)
    return module


def _fit(
    cfg: DictConfig,
    relaxation: DictConfig,
    module: TrainingModule | DimesMetaSolver,
    data: LearnedCostsDataModule | RoadsDataModule,
    folder: Path,
) -> dict[str, Any]:
    """Train one method and test its best checkpoint; returns its row of the table."""
    callbacks = list(instantiate(cfg.callbacks).values())
    for callback in callbacks:
        if isinstance(callback, pl.callbacks.ModelCheckpoint):
            callback.dirpath = str(folder / "checkpoints")
    loggers = [
        instantiate(node, save_dir=str(folder), name=relaxation.name if "wandb" in key else "csv")
        for key, node in cfg.logger.items()
    ]
    if any(isinstance(logger, pl.loggers.WandbLogger) for logger in loggers):
        folder.mkdir(parents=True, exist_ok=True)
    trainer: pl.Trainer = instantiate(cfg.trainer, logger=loggers, callbacks=callbacks)
    log.info("Training %s", relaxation.name)
    start = time.perf_counter()
    try:
        resume = None
        if cfg.resume and relaxation is cfg.relaxation:
            resume = continue_in(cfg.resume, folder / "checkpoints")
        trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=False)
        seconds = time.perf_counter() - start
        best = getattr(trainer.checkpoint_callback, "best_model_path", None)
        metrics = trainer.test(
            module, datamodule=data, ckpt_path=best or None, verbose=False, weights_only=False
        )
    finally:
        wandb.finish()
    loss = type(module.loss).__name__
    return {
        "method": relaxation.name,
        "loss": loss,
        "rho": str(cfg.rho) if relaxation.layer is None and not relaxation.get("module") else "-",
        "test_regret": metrics[0]["test/regret"],
        "train_seconds": seconds,
        # controls that a method reports beside its own regret
        **{
            key.removeprefix("test/"): value
            for key, value in metrics[0].items()
            if key.startswith("test/regret_")
        },
    }


def _rebuildable(cfg: DictConfig, relaxation: DictConfig) -> dict[str, Any]:
    stored = copy.deepcopy(cfg)
    with open_dict(stored):
        stored.relaxation = relaxation
    container = OmegaConf.to_container(stored, resolve=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def _draw(
    data: LearnedCostsDataModule, trained: dict[str, TrainingModule | DimesMetaSolver], path: Path
) -> None:
    batch = next(iter(data.test_dataloader()))
    own = own_problems(batch)
    decided = {}
    for name, module in trained.items():
        module.eval()
        with torch.no_grad():
            decided[name] = module.layer(module(batch), *own)[:3]
    problems = own[0] if own else data.problem
    positions = batch.positions.split(batch.ptr.diff().tolist())[:3]
    optimal, costs = (instances(batch, field)[:3] for field in ("decisions", "costs"))
    save_decision_figure(path, problems, positions, optimal, decided, costs)


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> None:
    os.environ.setdefault("WANDB_SILENT", "true")  # its run folder is below ours
    # Lightning's advice on workers and log intervals is noise for sets that fit in memory
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    run_command(train, cfg)


if __name__ == "__main__":
    main()
