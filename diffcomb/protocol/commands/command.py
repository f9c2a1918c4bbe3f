"""How the commands start and end: results on stdout, the user's errors as one sentence and exit code 1."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TextIO

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from diffcomb.errors import InvalidConfigError
from diffcomb.protocol.commands.end_with_parent import end_with_parent
from diffcomb.protocol.commands.output_folder import remove_if_empty, unwritable
from diffcomb.protocol.commands.sentence import USER_ERRORS, sentence

#: where results go: stdout, also while everything else is sent to stderr
_results: TextIO | None = None
#: the task has begun; what fails before is Hydra's
_begun = False


def launch(main: Callable[[], object]) -> None:
    """Call a function decorated by `hydra.main`; errors of composing the config end like all others.

    HYDRA_FULL_ERROR=1 shows where an error was raised.
    """
    # Hydra prints its own advice unless it is told to raise; processes started from here inherit the wish
    os.environ.setdefault("DIFFCOMB_FULL_ERROR", os.environ.get("HYDRA_FULL_ERROR", "0"))
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        main()
    except USER_ERRORS as error:
        _end(error)
    except Exception as error:
        if _begun:
            raise  # a defect
        is_path = isinstance(error, OSError) and error.filename is not None
        _end(unwritable(error.filename, error) if is_path else error)  # type: ignore[attr-defined, arg-type]
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)


def run_command(task: Callable[[DictConfig], Any], cfg: DictConfig) -> Any:
    """Run `task(cfg)`; print errors made for users as one sentence and exit with 1.

    In a multirun they are raised instead, so that the other jobs go on. Errors nobody foresaw keep their
    traceback: they are defects to report.
    """
    global _begun
    _begun = True
    if os.environ.get("LOCAL_RANK", "0") != "0":
        end_with_parent(os.getppid())  # started by another process to train with it
    try:
        with results_alone():
            return task(cfg)
    except USER_ERRORS as error:
        if _in_multirun():
            raise InvalidConfigError(sentence(error)) from None
        _end(error)
    finally:
        for folder in _made_by_hydra(cfg):
            remove_if_empty(folder)


def say(text: str) -> None:
    """Print a result; messages, warnings and bars go to stderr."""
    print(text, file=_results or sys.stdout, flush=True)


@contextmanager
def results_alone() -> Iterator[None]:
    """Only what is `say`d reaches stdout; what libraries write there, from C++ too, goes to stderr."""
    global _results
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # started without a stdout
        yield
        return
    os.dup2(2, 1)
    try:
        with os.fdopen(os.dup(kept), "w", encoding="utf-8") as _results:
            yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        _results = None


def full_error() -> bool:
    """The user wants to see where an error was raised."""
    return os.environ.get("DIFFCOMB_FULL_ERROR", os.environ.get("HYDRA_FULL_ERROR")) == "1"


def _end(error: BaseException) -> NoReturn:
    if full_error():
        raise error
    print(f"error: {sentence(error)}", file=sys.stderr)
    sys.exit(1)


def _in_multirun() -> bool:
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def _made_by_hydra(cfg: DictConfig) -> list[Path]:
    """The folder Hydra made for the job, and the one the command was to write into."""
    made = [HydraConfig.get().runtime.output_dir] if HydraConfig.initialized() else []
    named = OmegaConf.select(cfg, "output_dir", throw_on_resolution_failure=False)
    return [Path(folder) for folder in (*made, named) if isinstance(folder, str) and folder.strip()]
