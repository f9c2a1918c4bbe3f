"""From a composed config to a training module: the one place where the parts are wired."""

from __future__ import annotations

from hydra.utils import instantiate
from omegaconf import DictConfig

from diffcomb.problems import Problem, ProblemFamily
from models.dimes_meta_solver import DimesMetaSolver
from models.training_module import TrainingModule


def assemble(
    cfg: DictConfig,
    relaxation: DictConfig,
    problem: Problem | ProblemFamily,
    node_features: int,
    edge_features: int,
) -> TrainingModule | DimesMetaSolver:
    """encoder, layer (the solver's, or the relaxation's) and loss (the config's, or the relaxation's).

    A relaxation with a node `module` trains in its own way: that LightningModule takes the place of all.

    Args:
        node_features, edge_features: input widths, which the data decide.
        relaxation: node of the relaxation group: `layer` and `loss`, each null to keep the config's.
    """
    if relaxation.get("module") is not None:
        own: DimesMetaSolver = instantiate(
            relaxation.module, problem, node_features=node_features, edge_features=edge_features
        )
        return own
    encoder = instantiate(
        cfg.model,
        node_features=node_features,
        edge_features=edge_features,
        cost_sign=problem.cost_sign,
    )
    # the batches of a family bring their own problems
    decided: Problem | list[Problem] = problem if isinstance(problem, Problem) else []
    layer = instantiate(relaxation.layer or cfg.solver, decided)
    loss = instantiate(relaxation.loss or cfg.loss, layer)
    return TrainingModule(encoder, layer, loss, cfg.learning_rate, cfg.weight_decay)
