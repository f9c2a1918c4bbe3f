"""Which columns of a model a user means by its own variable objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from diffcomb.errors import InvalidInstanceError


def columns_of_objects(costs: Any, place_of: Callable[[Any], int | None]) -> np.ndarray | None:
    """Columns of the variables in `costs`, in its order; None stays None.

    Args:
        costs: a variable, or dicts, lists and arrays of variables, nested as they come; row by row.
        place_of: variable -> column, or None for what is no variable of the model.

    Raises:
        InvalidInstanceError: something that is no variable of the model.
    """
    if costs is None:
        return None
    return np.array(list(_places(costs, place_of)), dtype=np.int64)


def _places(item: Any, place_of: Callable[[Any], int | None]) -> Iterator[int]:
    place = place_of(item)
    if place is not None:
        yield place
        return
    parts = _parts(item)
    if parts is None:
        raise InvalidInstanceError(f"{item} is no variable of this model; costs takes its variables.")
    for part in parts:
        yield from _places(part, place_of)


def _parts(item: Any) -> Iterable[Any] | None:
    """What a container holds; None for what is none."""
    if isinstance(item, str):
        return None
    if callable(getattr(item, "tolist", None)):
        listed = item.tolist()
        return listed if isinstance(listed, list) else None
    if callable(getattr(item, "values", None)):
        values = list(item.values())
        return None if any(value is item for value in values) else values
    return item if isinstance(item, list | tuple) else None
