"""numba with a disk cache that notices when any file of this folder changes.

numba keys a cached function by its own source file alone. These kernels call one another across
files, so an edited polish.py would go unnoticed by the cached batch loop that has it built in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

_SOURCES = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("*.py"))))
#: sums may be reordered (SIMD); NaN and infinity keep their meaning
_MATH = {"reassoc", "contract", "nsz"}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """njit: cached on disk, GIL released, IEEE division, reordered sums."""
    return _compiled(function, _MATH, called_from_python=True)


def compiled_inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for functions that only compiled ones call: without the entry from Python, whose
    unpacking of nested tuples takes longer to compile than a small kernel itself.
    """
    return _compiled(function, _MATH, called_from_python=False)


def compiled_without_nan(function: Callable[..., Any]) -> Callable[..., Any]:
    """`compiled_inner` for reductions by min and max, which vectorise only if NaN may be missed."""
    return _compiled(function, _MATH | {"nnan"}, called_from_python=False)


def _compiled(
    function: Callable[..., Any], math: set[str], *, called_from_python: bool
) -> Callable[..., Any]:
    dispatcher = njit(  # type: ignore[call-overload]
        cache=True,
        nogil=True,
        error_model="numpy",
        fastmath=math,
        no_cpython_wrapper=not called_from_python,
        no_cfunc_wrapper=True,
    )(function)
    cache_file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if cache_file is not None:
        cache_file._source_stamp = _SOURCES.hexdigest()
    return dispatcher
