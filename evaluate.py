"""Run the protocol, judge a checkpoint or try the layer on real instances: `python evaluate.py --help`."""

from __future__ import annotations

import inspect
import logging
import os
import warnings
from pathlib import Path
from typing import Any

import hydra
import pytorch_lightning as pl
import torch
import wandb
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from datamodules import BenchmarkInstance
from diffcomb.errors import InvalidConfigError
from diffcomb.layers import DecisionLayer
from diffcomb.metrics import relative_gap
from diffcomb.problems import Problem, ProblemFamily
from diffcomb.protocol import (
    CLAIM,
    PROTOCOL_FILES,
    EvaluateConfig,
    Report,
    add_to_report,
    build,
    check_output,
    check_report,
    check_types,
    check_values,
    format_results,
    launch,
    oracle_settings,
    protocol_folder,
    register_configs,
    run_command,
    run_protocol,
    save_results,
    say,
    target_of,
)
from models import assemble, build_data, describe, read_checkpoint, refuse_other_weights

register_configs()


def evaluate(cfg: DictConfig) -> dict[str, Any]:
    """Rows of the metrics table, also printed and saved as results.csv.

    Returns:
        {"rows": result rows, "output_dir": run folder}.
    """
    _validate(cfg)
    if cfg.protocol is not None:
        report = run_protocol(cfg)
        if cfg.wandb:
            _send_to_wandb(report, cfg)
        say(f"report: {report.folder / 'report.md'}")
        return {"rows": report.rows.to_dict("records"), "output_dir": str(report.folder)}
    rows = [_evaluate_checkpoint(cfg)] if cfg.checkpoint else _evaluate_instances(cfg)
    if cfg.report:
        add_to_report(cfg.report, rows[0], cfg.checkpoint)
    folder = Path(cfg.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    table = save_results(rows, folder)
    say(f"\n{format_results(table)}\n\nsaved to {folder / 'results.csv'}")
    return {"rows": rows, "output_dir": str(folder)}


def _validate(cfg: DictConfig) -> None:
    """Every value, and that there is one thing to evaluate; nothing is written."""
    if cfg.protocol is None and not cfg.checkpoint and not cfg.datamodule:
        raise InvalidConfigError(
            "Nothing to evaluate: give checkpoint=<run folder>/decision_focused/checkpoints/best.ckpt,"
            " datamodule=tsplib or experiment=protocol_tsp; see --help."
        )
    if cfg.protocol is not None and (cfg.checkpoint or cfg.datamodule):
        raise InvalidConfigError("A protocol runs alone; leave out checkpoint and datamodule.")
    if cfg.report and not cfg.checkpoint:
        raise InvalidConfigError(
            "report=<folder> is what the row of a checkpoint joins; give checkpoint too."
        )
    check_values(cfg, EvaluateConfig)
    for group in ("problem", "solver", "datamodule"):
        check_types(cfg[group], group)
    if cfg.solver.get("decision", "exact") != "exact":
        raise InvalidConfigError("evaluate.py judges exact decisions; leave solver.decision=exact.")
    if cfg.report:
        check_report(cfg.report)
    folder = protocol_folder(cfg) if cfg.protocol is not None else Path(cfg.output_dir)
    # a protocol goes on in its folder; an evaluation replaces its own table, never that of a training
    check_output(str(folder), may_hold=PROTOCOL_FILES if cfg.protocol is not None else ("results.csv",))
    if cfg.protocol is None and (folder / CLAIM).exists():
        raise InvalidConfigError(f"output_dir {folder} belongs to a training; name another folder.")


def _evaluate_checkpoint(cfg: DictConfig) -> dict[str, Any]:
    """Test regret of the checkpoint on the test set it was trained beside."""
    stored = read_checkpoint(cfg.checkpoint)
    trained = OmegaConf.create(stored["hyper_parameters"]["config"])
    problem: Problem | ProblemFamily = build(cfg.problem or trained.problem, key="problem")
    read_checkpoint(cfg.checkpoint, problem)
    if cfg.datamodule:
        trained.datamodule = cfg.datamodule
    data = build_data(trained, problem)
    module = assemble(trained, trained.relaxation, problem, data)
    refuse_other_weights(cfg.checkpoint, module)
    data.prepare_data()
    data.setup("test")
    module.load_state_dict(stored["state_dict"])
    trainer = pl.Trainer(
        logger=False, enable_checkpointing=False, enable_model_summary=False, accelerator="cpu"
    )
    metrics = trainer.test(module, dataloaders=data.test_dataloader(), verbose=False)
    return {
        "problem": describe(problem),
        "method": trained.relaxation.name,
        "loss": type(module.loss).__name__,
        "epoch": stored["epoch"],
        "test_regret": metrics[0]["test/regret"],
    }


def _evaluate_instances(cfg: DictConfig) -> list[dict[str, Any]]:
    """Real instances, one after the other."""
    target = target_of(cfg.datamodule, "datamodule")
    if inspect.isclass(target) and issubclass(target, pl.LightningDataModule):
        raise InvalidConfigError(
            f"datamodule {target.__name__} is a data set to train on; give the checkpoint to judge on it, or"
            " datamodule=tsplib."
        )
    instances = build(cfg.datamodule, key="datamodule")
    return [_evaluate_instance(cfg, one) for one in tqdm(instances, unit="instance", desc="evaluating")]


def _evaluate_instance(cfg: DictConfig, instance: BenchmarkInstance) -> dict[str, Any]:
    """Decide one real instance through the layer, with the gradient of its own cost."""
    problem = instance.problem
    assert problem.costs is not None
    oracle = oracle_settings(cfg.oracle)
    layer: DecisionLayer = build(cfg.solver, problem, key="solver", oracle=oracle).eval()
    theta = problem.costs.clone().requires_grad_()
    decision = layer(theta)
    problem.objective(decision, problem.costs).backward()
    last = layer.last
    assert last.value is not None
    assert last.bound is not None
    assert last.kkt_residual is not None
    value, best = float(last.value), instance.best_known
    return {
        "instance": instance.name,
        "value": value,
        "bound": float(last.bound),
        "best_known": best,
        "gap": None if best is None else relative_gap(value, best, problem.costs),
        "status": str(last.status),
        "kkt_residual": f"{float(last.kkt_residual):.1e}",
        "gradient_norm": None if theta.grad is None else float(torch.linalg.vector_norm(theta.grad)),
    }


def _send_to_wandb(report: Report, cfg: DictConfig) -> None:
    """The report's tables and figures as a W&B run, offline unless WANDB_MODE says otherwise."""
    with wandb.init(
        project="diffcomb",
        group="protocol",
        name=f"{cfg.protocol.problem}-{cfg.protocol.scale}",
        dir=str(report.folder),
        mode=os.environ.get("WANDB_MODE", "offline"),  # type: ignore[arg-type]
        config=OmegaConf.to_container(cfg, resolve=True),  # type: ignore[arg-type]
        settings=wandb.Settings(silent=True),
    ) as run:
        # keys are folders in the workspace: one section of tables, one of figures
        run.log({f"tables/{table.name}": wandb.Table(dataframe=table.text) for table in report.tables})
        run.log({f"figures/{path.stem}": wandb.Image(str(path)) for path in report.figures})


@hydra.main(version_base="1.3", config_path="conf", config_name="evaluate")
def main(cfg: DictConfig) -> None:
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    run_command(evaluate, cfg)


if __name__ == "__main__":
    launch(main)
