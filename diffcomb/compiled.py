"""numba with a disk cache that notices when anything a function has built in changes.

numba keys a cached function by its own source file alone. Compiled code inlines what it calls and
freezes the constants it reads, also those of other files, so an edit there would go unnoticed.
"""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import event
from numba.core.dispatcher import Dispatcher


class _Announcement(event.Listener):
    """One line on stderr when something of this package is compiled that no earlier process has."""

    def on_start(self, event: Any) -> None:
        module = event.data["dispatcher"].py_func.__module__
        if module.startswith("diffcomb"):
            _announce()

    def on_end(self, event: Any) -> None:
        """Nothing to say."""


@cache
def _announce() -> None:
    print(
        "diffcomb compiles its kernels once for this installation (about a minute); later runs start at once",
        file=sys.stderr,
        flush=True,
    )


event.register("numba:compile", _Announcement())


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """njit: cached on disk, GIL released, plain IEEE arithmetic in the order written."""
    return compile_with(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """For the parts of a hot loop: numba puts the body into the caller, so that a call counts no references.

    With tuples of arrays as arguments a tabu search is a fifth faster for it than with `compiled` parts.
    """
    return compile_with(function, inline="always")


def compile_with(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """The same with numba's own options, such as error_model and fastmath."""
    try:
        dispatcher = njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:
        # neither the package nor the user's cache folder can be written: compiled anew in every process
        _say_once_that_nothing_is_kept()
        return njit(nogil=True, **options)(function)
    cache_file = _cache_file(dispatcher)
    if cache_file is not None:
        cache_file._source_stamp = _source_stamp(function)
    return dispatcher


@cache
def _say_once_that_nothing_is_kept() -> None:
    warnings.warn(
        "No folder for compiled code can be written, so every process compiles anew (about a minute); set"
        " NUMBA_CACHE_DIR to one that can.",
        stacklevel=2,
    )


def _cache_file(dispatcher: Any) -> Any:
    """numba's record of a function on disk; None where caching or compiling is switched off."""
    return getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)


def _source_stamp(function: Callable[..., Any]) -> str:
    """Digest of the file, of the compiled functions it imports with all they call, and of its constants."""
    parts = [Path(function.__code__.co_filename).read_text()]
    for name, value in sorted(function.__globals__.items()):
        if isinstance(value, Dispatcher):
            parts.append(f"{name}={getattr(_cache_file(value), '_source_stamp', None)}")
        elif isinstance(value, int | float | str | tuple) and not name.startswith("__"):
            parts.append(f"{name}={value!r}")
        elif isinstance(value, type) and issubclass(value, tuple):
            parts.append(f"{name}={getattr(value, '_fields', None)}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
