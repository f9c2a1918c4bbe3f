"""Optional packages, imported when a model of theirs is read."""

from __future__ import annotations

import importlib
from typing import Any

from diffcomb.errors import MissingBackendError


def require(module: str, title: str, package: str) -> Any:
    """The module, or one sentence with the command that installs it.

    Raises:
        MissingBackendError: not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingBackendError(f"{title} is not installed: pip install {package}.") from None
