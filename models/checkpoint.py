"""Reading a training checkpoint: the config that made it, and whether it fits the problem at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems import Problem


def describe(problem: Problem) -> str:
    """What a checkpoint remembers of its problem."""
    return f"{type(problem).__name__} with {problem.num_costs} costs"


def read_checkpoint(path: str | Path, problem: Problem | None = None) -> dict[str, Any]:
    """The checkpoint's contents; `hyper_parameters` has `config` and `problem`.

    Args:
        problem: if given, the checkpoint must have been trained on one like it.

    Raises:
        InvalidInstanceError: missing, unreadable, not ours, or of another problem.
    """
    path = Path(path)
    if not path.is_file():
        raise InvalidInstanceError(f"No checkpoint {path}; train.py writes best.ckpt into its run folder.")
    try:
        stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        trained_on = stored["hyper_parameters"]["problem"]
    except Exception:  # torch raises many kinds on a corrupt file
        raise InvalidInstanceError(f"{path} is not a checkpoint written by train.py.") from None
    if problem is not None and trained_on != describe(problem):
        raise InvalidInstanceError(
            f"{path} was trained on {trained_on}, not on {describe(problem)};"
            " use the same problem, or another checkpoint."
        )
    return stored
