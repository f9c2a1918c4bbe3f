"""The folder a run writes into: checked before anything is made, claimed by one run, gone if nothing came."""

from __future__ import annotations

import tempfile
from pathlib import Path

from diffcomb.errors import InvalidConfigError

#: what a training run writes first: whoever creates it owns the folder
CLAIM = "config.yaml"


def check_output(path: str, *, may_hold: tuple[str, ...] = ()) -> Path:
    """The folder `path`, which can be written and holds no other run.

    Args:
        may_hold: names of files that the run adds to or replaces; a folder with none of them must be empty.

    Raises:
        InvalidConfigError: otherwise, in words.
    """
    if not isinstance(path, str) or not path.strip() or "\0" in path:
        raise InvalidConfigError(f"output_dir must be the path of a folder, got {path!r}.")
    folder = Path(path)
    check_writable(folder, "output_dir")
    taken = folder.is_dir() and any(folder.iterdir())
    if taken and not any((folder / name).exists() for name in may_hold):
        raise InvalidConfigError(
            f"output_dir {folder} already holds files of another run; name a new folder, or leave it out."
        )
    return folder


def check_writable(folder: Path, key: str) -> None:
    """Raise InvalidConfigError where `folder` could not be made or written; leaves nothing behind."""
    try:
        existing = next(p for p in (folder, *folder.absolute().parents) if p.exists())
        # permissions do not tell all: read-only disks, quotas, names that are too long
        with tempfile.TemporaryDirectory(dir=existing, prefix=".diffcomb-"):
            pass
    except OSError as error:
        raise unwritable(folder, error, key) from None


def claim(folder: Path, content: str) -> None:
    """Make `folder` and write its config.yaml, unless another run has.

    Raises:
        InvalidConfigError: it cannot be written, or two runs were given one folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / CLAIM).open("x") as file:
            file.write(content)
    except FileExistsError:
        raise InvalidConfigError(f"output_dir {folder} belongs to another run; name a new folder.") from None
    except OSError as error:
        raise unwritable(folder, error) from None


def unwritable(folder: Path | str, error: OSError, key: str = "output_dir") -> InvalidConfigError:
    """The sentence for an error of the file system."""
    reason = error.strerror or str(error)
    return InvalidConfigError(f"{key} {folder} cannot be written: {reason}; name a folder that can be.")


def remove_if_empty(folder: Path) -> None:
    """Remove a folder that nothing was written into, and the `runs` above it if that is all there was."""
    for path in (folder, folder.parent):
        try:
            if path != folder and path.name != "runs":
                return
            path.rmdir()  # refuses what is not empty
        except OSError:
            return
