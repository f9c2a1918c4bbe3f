"""From a config node to the object it describes: the parts of a run are wired in Python, by name."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig

from diffcomb.errors import DiffcombError, InvalidConfigError
from diffcomb.oracles import Limits


def oracle_settings(node: Any) -> Limits:
    """The one object of oracle and limits that layers, losses and labels of a run share."""
    return Limits(node.name, node.time_limit, node.num_workers, node.seed)


def build(node: Any, *arguments: object, key: str, **offered: object) -> Any:
    """The object of `node`, called with `arguments` and what its target takes of `offered`.

    What the node itself sets wins. Limits offered as `oracle` are unpacked for targets that still
    take limits one by one.

    Args:
        key: of the node in the config, for messages.

    Raises:
        DiffcombError: the target's own, or InvalidConfigError for any other that it raises.
    """
    target = target_of(node, key)
    names = parameters_of(target)
    settings = offered.get("oracle")
    if isinstance(settings, Limits) and "time_limit" in names:
        offered = {**vars(settings), **offered, "oracle": settings.oracle}
    taken = {name: value for name, value in offered.items() if name in names and name not in node}
    try:
        return instantiate(node, *arguments, **taken)
    except (Exception, MemoryError) as error:
        raise refusal(error, f"{key} ({getattr(target, '__name__', target)}) cannot be built") from error


def refusal(error: BaseException, what: str) -> DiffcombError:
    """What a user is told of `error`: a message made for users as it is, another as its reason."""
    for cause in causes(error):
        if isinstance(cause, DiffcombError):
            return cause
    root = list(causes(error))[0 if not isinstance(error, InstantiationException) else -1]
    words = " ".join(str(root).split()) or type(root).__name__
    if isinstance(root, MemoryError) or "can't allocate memory" in words:
        return InvalidConfigError(f"{what}: it does not fit into memory; choose smaller sizes.")
    return InvalidConfigError(f"{what}: {words.rstrip('.!')}.")


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def target_of(node: Any, key: str) -> Callable[..., Any]:
    """What a node builds.

    Raises:
        InvalidConfigError: the node names no class or function that can be imported.
    """
    if not isinstance(node, DictConfig | dict) or not isinstance(node.get("_target_"), str):
        raise InvalidConfigError(
            f"{key} must be an option of its group or a node with a _target_, got {node}."
        )
    log = logging.getLogger("hydra.utils")  # reports what it raises as well
    try:
        log.disabled, disabled = True, log.disabled
        target = get_object(node["_target_"])
    except Exception as error:  # importing runs any code
        reason = " ".join(str(list(causes(error))[-1]).split())
        raise InvalidConfigError(f"{key}._target_ {node['_target_']} cannot be found: {reason}.") from None
    finally:
        log.disabled = disabled
    if not callable(target):
        raise InvalidConfigError(f"{key}._target_ {node['_target_']} is no class or function.")
    return target


def parameters_of(target: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters a target can be given by name; "**" stands for any."""
    try:
        parameters = inspect.signature(target).parameters
    except (TypeError, ValueError):  # compiled, no signature
        return {}
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = {name: p for name, p in parameters.items() if p.kind in kinds}
    for parameter in parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            named["**"] = parameter
    return named
