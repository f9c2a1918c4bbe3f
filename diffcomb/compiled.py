"""numba with a disk cache that notices when anything a function has built in changes.

numba keys a cached function by its own source file alone. Compiled code inlines what it calls and
freezes the constants it reads, also those of other files, so an edit there would go unnoticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.dispatcher import Dispatcher


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
    dispatcher = njit(cache=True, nogil=True, **options)(function)
    cache_file = _cache_file(dispatcher)
    if cache_file is not None:
        cache_file._source_stamp = _source_stamp(function)
    return dispatcher


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
