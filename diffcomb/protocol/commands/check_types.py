"""Values of a config against the types that the constructors they go to declare."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from diffcomb.errors import InvalidConfigError
from diffcomb.protocol.commands.building import parameters_of, target_of

_NUMBERS = {int: "a whole number", float: "a finite number", bool: "true or false", str: "a text"}


def check_types(node: Any, key: str) -> None:
    """Refuse what no constructor below `node` takes: unknown arguments, values of another type.

    Raises:
        InvalidConfigError: naming the key, what it takes and what it got.
    """
    if not isinstance(node, DictConfig | dict):
        return
    if "_target_" in node:
        target = target_of(node, key)
        names, hints = parameters_of(target), _hints(target)
        for name in arguments_of(node):
            if "**" not in names and names and name not in names:
                known = ", ".join(name for name in names if name != "self")
                raise InvalidConfigError(
                    f"{key}.{name} is no argument of {node['_target_']}, which takes {known}."
                )
            if name in hints and not _fits(node[name], hints[name]):
                raise InvalidConfigError(
                    f"{key}.{name} must be {words(hints[name])}, got {shown(node[name])}."
                )
    for name in arguments_of(node):
        check_types(node[name], f"{key}.{name}")


def arguments_of(node: Any) -> Iterator[str]:
    """The keys that are no directives to Hydra."""
    return (str(name) for name in node if not (str(name).startswith("_") and str(name).endswith("_")))


def _hints(target: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(target.__init__ if isinstance(target, type) else target)  # type: ignore[misc]
    except Exception:  # a name that only a type checker imports: what is declared without it
        declared = {name: p.annotation for name, p in parameters_of(target).items()}
        return {name: hint for name, hint in declared.items() if not isinstance(hint, str)}


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is typing.Literal:
        return any(type(value) is type(one) and value == one for one in inner)
    if hint is type(None):
        return value is None
    if hint in (bool, str):
        return isinstance(value, hint)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    container = origin or hint
    if not isinstance(container, type) or container is object:
        return True  # Any, a type variable: nothing declared
    if issubclass(container, Mapping):
        one = inner[1] if len(inner) == 2 else Any
        return isinstance(value, Mapping | DictConfig) and all(_fits(value[name], one) for name in value)
    if issubclass(container, Sequence) and not issubclass(container, str):
        one = inner[0] if inner else Any
        return isinstance(value, list | tuple | ListConfig) and all(_fits(item, one) for item in value)
    # an object: a node that builds it; paths are texts
    is_path = hasattr(container, "__fspath__") and isinstance(value, str)
    return isinstance(value, Mapping | DictConfig) or is_path


def words(hint: Any) -> str:
    """A type as a user reads it."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(words(one) for one in inner))
    if origin is typing.Literal:
        return " or ".join(map(repr, inner))
    if hint is type(None):
        return "null"
    if hint in _NUMBERS:
        return _NUMBERS[hint]
    container = origin or hint
    if isinstance(container, type) and issubclass(container, Mapping):
        return "a mapping"
    if isinstance(container, type) and issubclass(container, Sequence):
        return f"a list of {words(inner[0]).removeprefix('a ')}" if inner else "a list"
    return f"a node that builds {getattr(hint, '__name__', hint)}"


def shown(value: Any) -> str:
    """A value of a config in a message."""
    plain = OmegaConf.to_container(value) if isinstance(value, DictConfig | ListConfig) else value
    return "null" if plain is None else repr(plain)
