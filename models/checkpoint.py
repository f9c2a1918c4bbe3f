"""Reading a training checkpoint: the config that made it, and whether it fits the problem at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from diffcomb.errors import InvalidInstanceError
from diffcomb.problems import Problem, ProblemFamily


def describe(problem: Problem | ProblemFamily) -> str:
    """What a checkpoint remembers of its problem."""
    if not isinstance(problem, Problem):
        return repr(problem)
    return f"{type(problem).__name__} with {problem.num_costs} costs"


def read_checkpoint(path: str | Path, problem: Problem | ProblemFamily | None = None) -> dict[str, Any]:
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


def refuse_other_weights(path: str | Path, module: nn.Module) -> None:
    """Raise InvalidInstanceError where the checkpoint's weights are not those of `module`."""
    ours, theirs = module.state_dict(), read_checkpoint(path)["state_dict"]
    for name in (*ours, *theirs):
        if name not in ours or name not in theirs or ours[name].shape != theirs[name].shape:
            raise InvalidInstanceError(
                f"{path} was trained with another model, layer or loss ({name} differs); resume with the"
                " config it was trained with."
            )


def continue_in(path: str | Path, folder: Path) -> Path:
    """Copy the checkpoints of an earlier run into `folder` and return the one to resume from.

    ModelCheckpoint remembers absolute paths; in the copies they point into `folder`, so that the
    best model so far stays the best until it is beaten, and the earlier run is left as it was.
    """
    path, folder = Path(path), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for source in path.parent.glob("*.ckpt"):
        stored = read_checkpoint(source)
        for state in stored["callbacks"].values():
            if "dirpath" in state:
                old, new = state["dirpath"], str(folder)
                moved = {key: _move(value, old, new) for key, value in state.items()}
                state.update(moved)
        torch.save(stored, folder / source.name)
    return folder / path.name


def _move(value: Any, old: str, new: str) -> Any:
    """Replace the folder `old` by `new` in paths, also as keys of a dictionary."""
    if isinstance(value, str):
        return new + value[len(old) :] if value.startswith(old) else value
    if isinstance(value, dict):
        return {_move(key, old, new): score for key, score in value.items()}
    return value
