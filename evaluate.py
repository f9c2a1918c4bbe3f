"""Run the protocol, judge a checkpoint or try the layer on real instances: `python evaluate.py --help`."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path
from typing import Any

import hydra
import pytorch_lightning as pl
import torch
import wandb
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from datamodules import BenchmarkInstance
from diffcomb.errors import InvalidInstanceError
from diffcomb.layers import DecisionLayer
from diffcomb.problems import Problem, ProblemFamily
from diffcomb.protocol import (
    Report,
    add_to_report,
    format_results,
    register_configs,
    run_command,
    run_protocol,
    save_results,
)
from models import assemble, describe, read_checkpoint

register_configs()


def evaluate(cfg: DictConfig) -> dict[str, Any]:
    """Rows of the metrics table, also printed and saved as results.csv.

    Returns:
        {"rows": result rows, "output_dir": run folder}.
    """
    if cfg.protocol is not None:
        report = run_protocol(cfg)
        if cfg.wandb:
            _send_to_wandb(report, cfg)
        print(f"report: {report.folder / 'report.md'}")
        return {"rows": report.rows.to_dict("records"), "output_dir": str(report.folder)}
    if cfg.checkpoint:
        rows = [_evaluate_checkpoint(cfg)]
        if cfg.report:
            add_to_report(cfg.report, rows[0], cfg.checkpoint)
    elif cfg.datamodule:
        instances = instantiate(cfg.datamodule)
        rows = [_evaluate_instance(cfg, one) for one in tqdm(instances, unit="instance", desc="evaluating")]
    else:
        raise InvalidInstanceError(
            "Nothing to evaluate: give checkpoint=<run folder>/decision_focused/checkpoints/best.ckpt,"
            " datamodule=tsplib or experiment=protocol_tsp; see --help."
        )
    folder = Path(cfg.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    table = save_results(rows, folder)
    print(f"\n{format_results(table)}\n\nsaved to {folder / 'results.csv'}")
    return {"rows": rows, "output_dir": str(folder)}


def _evaluate_checkpoint(cfg: DictConfig) -> dict[str, Any]:
    """Test regret of the checkpoint on the test set it was trained beside."""
    stored = read_checkpoint(cfg.checkpoint)
    trained = OmegaConf.create(stored["hyper_parameters"]["config"])
    problem: Problem | ProblemFamily = instantiate(cfg.problem or trained.problem)
    read_checkpoint(cfg.checkpoint, problem)
    data = instantiate(cfg.datamodule or trained.datamodule, problem)
    data.prepare_data()
    data.setup()
    module = assemble(trained, trained.relaxation, problem, data.node_features, data.edge_features)
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


def _evaluate_instance(cfg: DictConfig, instance: BenchmarkInstance) -> dict[str, Any]:
    """Decide one real instance through the layer, with the gradient of its own cost."""
    problem = instance.problem
    assert problem.costs is not None
    layer: DecisionLayer = instantiate(cfg.solver, problem).eval()
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
        "gap": None if best is None else (value - best) / abs(best),
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
    main()
