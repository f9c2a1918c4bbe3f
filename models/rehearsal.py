"""Every part of a method once on a tiny batch, so that what does not fit shows before a training."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from diffcomb.errors import DiffcombError, InvalidConfigError
from diffcomb.layers import as_rows
from diffcomb.losses import StagedLoss
from diffcomb.problems import Problem
from diffcomb.protocol import SavedBytes, refusal, refuse_meaningless_loss
from models.batch_fields import batch_size, own_problems
from models.training_module import TrainingModule


def rehearse(name: str, module: pl.LightningModule, batch: Any, trainer: pl.Trainer) -> float:
    """Predict, compute the loss and its gradient, decide and judge, at the trainer's precision.

    Modules of another kind do what their own `rehearse(batch)` says, if they have one.

    Args:
        name: of the method.

    Returns:
        bytes that one instance of a batch keeps for the backward pass.

    Raises:
        DiffcombError: naming the parts that do not fit.
    """
    plugin = trainer.precision_plugin
    with _explained(f"{name} at trainer.precision={trainer.precision}"):
        plugin.convert_module(module)
        batch = plugin.convert_input(batch)
    if not isinstance(module, TrainingModule):
        own = getattr(module, "rehearse", None)
        with _explained(f"{name} does not fit the data"):
            if callable(own):
                own(batch)
        return 0.0
    batch = module.prepared(batch)
    encoder, loss, layer = (type(part).__name__ for part in (module.encoder, module.loss, module.layer))
    with plugin.train_step_context(), SavedBytes() as saved:
        with _explained(f"model {encoder} cannot read the batches of the datamodule"):
            theta = module(batch)
        _check_predictions(theta, module, batch, encoder)
        for stage in _stages(module):
            with _explained(f"{name}: {layer}, {loss} and the data do not fit together"):
                _check_meaning(module, batch)
                value = module.loss_of(theta, batch)
                if value.requires_grad:
                    value.backward(retain_graph=stage == 0)
            if not bool(torch.isfinite(value).all()):
                raise InvalidConfigError(
                    f"{name}: {loss} is {value.item()} on these data; nothing could be learned from it."
                )
    module.eval()
    with plugin.val_step_context(), torch.no_grad(), _explained(f"{name}: {layer} cannot decide"):
        module.judge(batch)
    return saved.total / batch_size(batch)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Errors that are no sentence yet become one that begins with `what`."""
    try:
        yield
    except DiffcombError:
        raise
    except Exception as error:
        reason = refusal(error, what)
        if isinstance(error, KeyError | AttributeError):
            field = re.findall(r"'(\w+)'", str(error))[-1:] or [str(error)]
            reason = InvalidConfigError(f"{what}: they have no {field[0]!r}.")
        raise reason from error


def _stages(module: TrainingModule) -> Iterator[int]:
    """Once for most losses; a staged one also in its last stage."""
    yield 0
    if isinstance(module.loss, StagedLoss):
        module.loss.done.fill_(module.loss.steps)
        yield 1


def _check_meaning(module: TrainingModule, batch: Any) -> None:
    problems = own_problems(batch)[0] if own_problems(batch) else [module.layer.problem]
    if isinstance(problems[0], Problem):
        refuse_meaningless_loss(problems[0], module.loss)


def _check_predictions(
    theta: Tensor | list[Tensor], module: TrainingModule, batch: Any, encoder: str
) -> None:
    """One cost vector an instance, of the problem's length."""
    own = own_problems(batch)
    problems: Any = own[0] if own else [module.layer.problem]
    rows = as_rows(theta)
    if isinstance(theta, Tensor) == bool(own) or len(rows) != len(problems):
        found = "one block of costs" if isinstance(theta, Tensor) else "lists of costs"
        raise InvalidConfigError(
            f"model {encoder} predicts {found},"
            f" but the instances of the data {'have problems of their own' if own else 'share one problem'};"
            " choose the model that belongs to the datamodule."
        )
    for row, problem in zip(rows, problems, strict=True):
        if row.shape[-1:] != (problem.num_costs,):
            raise InvalidConfigError(
                f"model {encoder} predicts {tuple(row.shape)} costs, but {type(problem).__name__} has"
                f" {problem.num_costs} an instance."
            )
