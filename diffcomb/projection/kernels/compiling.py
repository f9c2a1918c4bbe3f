"""How the kernels of this folder are compiled: sums may be reordered, divisions follow IEEE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from diffcomb.compiled import compile_with

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
    return compile_with(
        function,
        error_model="numpy",
        fastmath=math,
        no_cpython_wrapper=not called_from_python,
        no_cfunc_wrapper=True,
    )
