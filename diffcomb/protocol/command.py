"""How the commands end on an error: one sentence, exit code 1, no empty folder left behind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from diffcomb.errors import DiffcombError


def run_command(task: Callable[[DictConfig], Any], cfg: DictConfig) -> Any:
    """Run `task(cfg)`; print errors made for users as one sentence and exit with 1.

    Errors nobody foresaw keep their traceback: they are defects to report.
    """
    try:
        return task(cfg)
    except (DiffcombError, HydraException, OmegaConfBaseException) as error:
        message = next(
            (str(cause) for cause in _causes(error) if isinstance(cause, DiffcombError)), str(error)
        )
        print(f"error: {message}", file=sys.stderr)
        _remove_if_empty(Path(cfg.output_dir))
        sys.exit(1)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
