"""From a composed config to a training module: the one place where the parts are wired."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig

from diffcomb.errors import InvalidConfigError
from diffcomb.problems import Problem, ProblemFamily
from diffcomb.protocol import build, oracle_settings
from models.dimes_meta_solver import DimesMetaSolver
from models.training_module import TrainingModule


def build_data(cfg: DictConfig, problem: Problem | ProblemFamily) -> Any:
    """The data module of `problem`, labelled within the run's limits."""
    return build(cfg.datamodule, problem, key="datamodule", oracle=oracle_settings(cfg.oracle))


def assemble(
    cfg: DictConfig, method: DictConfig, problem: Problem | ProblemFamily, data: Any
) -> TrainingModule | DimesMetaSolver:
    """encoder, layer (the solver's, or the method's) and loss (the config's, or the method's).

    A method with a node `module` trains in its own way: that LightningModule takes the place of all.
    Encoders and modules get what they ask for by name: node_features, edge_features, cost_sign, num_costs.

    Args:
        method: node of the relaxation group: `layer` and `loss`, each null to keep the config's.
        data: its widths of features decide those of the encoder.
    """
    name = str(method.name)
    features = describe_data(problem, data)
    if method.get("module") is not None:
        own: DimesMetaSolver = build(method.module, problem, key=f"{name}.module", **features)
        return own
    encoder = build(cfg.model, key="model", **features)
    # the batches of a family bring their own problems
    decided: Problem | list[Problem] = problem if isinstance(problem, Problem) else []
    oracle = oracle_settings(cfg.oracle)
    if method.get("layer") is None:
        layer = build(cfg.solver, decided, key="solver", oracle=oracle)
    else:
        layer = build(method.layer, decided, key=f"{name}.layer", oracle=oracle)
    if method.get("loss") is None:
        loss = build(cfg.loss, layer, key="loss")
    else:
        loss = build(method.loss, layer, key=f"{name}.loss")
    if not hasattr(loss, "needs"):
        raise InvalidConfigError(
            f"{type(loss).__name__} is no loss of decisions: `needs` would name the fields it learns from."
        )
    return TrainingModule(encoder, layer, loss, cfg.learning_rate, cfg.weight_decay)


def describe_data(problem: Problem | ProblemFamily, data: Any) -> dict[str, int]:
    """What an encoder may ask for: widths of features where the data have any, the costs' sign and number."""
    widths = {name: getattr(data, name) for name in ("node_features", "edge_features") if hasattr(data, name)}
    count = {"num_costs": problem.num_costs} if isinstance(problem, Problem) else {}
    return {**widths, **count, "cost_sign": problem.cost_sign}
