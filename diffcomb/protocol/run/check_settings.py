"""Whether the settings of a protocol can mean a run, before its folder is made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf

from diffcomb.errors import InvalidConfigError
from diffcomb.oracles import find_oracle
from diffcomb.protocol.commands.building import refusal, target_of
from diffcomb.protocol.commands.check_types import check_types
from diffcomb.protocol.commands.memory import allocations_refused
from diffcomb.protocol.run.plan import plan
from diffcomb.protocol.setup.settings import GROUPS, ProtocolConfig
from diffcomb.protocol.setup.trials import FAMILIES, family_problem


def check_settings(settings: ProtocolConfig) -> None:
    """Ranges of all numbers, names of all groups, and that every method is one.

    Raises:
        InvalidConfigError: naming the key.
    """
    if settings.problem not in FAMILIES:
        raise InvalidConfigError(
            f"Unknown protocol.problem {settings.problem!r}; choose one of {', '.join(FAMILIES)}."
        )
    if settings.scale not in settings.sizes:
        known = ", ".join(settings.sizes) or "none"
        raise InvalidConfigError(f"protocol.sizes has no scale {settings.scale!r}; it has {known}.")
    for key, given in (("trials", settings.trials), ("skip", settings.skip)):
        if unknown := set(given) - set(GROUPS):
            raise InvalidConfigError(
                f"protocol.{key} has no group {sorted(unknown)[0]}; choose of {', '.join(GROUPS)}."
            )
    if settings.shards < 1:
        raise InvalidConfigError(f"protocol.shards must be at least 1, got {settings.shards}.")
    if not 0 <= settings.shard < settings.shards:
        raise InvalidConfigError(
            f"protocol.shard must be in 0..{settings.shards - 1}, got {settings.shard} of {settings.shards}."
        )
    _check_numbers(settings)
    for name, node in settings.methods.items():
        _check_method(name, node)
    smallest = min(settings.sizes[settings.scale], default=None)
    if smallest is not None:
        find_oracle(settings.oracle.name, family_problem(settings.problem, smallest, 0, settings.seed))
    try:
        with allocations_refused():
            plan(settings)
    except (MemoryError, RuntimeError) as error:
        raise refusal(error, f"protocol.sizes.{settings.scale}") from error


def _check_numbers(settings: ProtocolConfig) -> None:
    gradient, overhead, training = settings.gradient, settings.overhead, settings.end_to_end
    whole = {
        **{f"sizes.{scale}": min(sizes, default=1) for scale, sizes in settings.sizes.items()},
        "gradient.directions": gradient.directions,
        "gradient.samples": gradient.samples - 1,  # halves are compared
        "gradient.repeats": gradient.repeats,
        "overhead.batch": overhead.batch,
        "overhead.repeats": overhead.repeats,
        "end_to_end.train": training.train,
        "end_to_end.test": training.test,
        "end_to_end.epochs": training.epochs,
        "end_to_end.batch": training.batch,
        "workers": settings.workers,
        "oracle.num_workers": settings.oracle.num_workers,
    }
    for key, value in whole.items():
        if value is not None and value < 1:
            least = 2 if key == "gradient.samples" else 1
            raise InvalidConfigError(f"protocol.{key} must be at least {least}, got {value - 1 + least}.")
    positive = {
        "gradient.sigma": gradient.sigma,
        "end_to_end.learning_rate": training.learning_rate,
        "time_limit": settings.time_limit,
        **{f"ratios[{k}]": ratio for k, ratio in enumerate(settings.ratios)},
    }
    for key, number in positive.items():
        if not (number > 0 and math.isfinite(number)):
            raise InvalidConfigError(f"protocol.{key} must be positive, got {number}.")
    for group, count in settings.trials.items():
        if count < 0:
            raise InvalidConfigError(f"protocol.trials.{group} must not be negative, got {count}.")
    if settings.seed < 0:
        raise InvalidConfigError(f"protocol.seed must not be negative, got {settings.seed}.")


def _check_method(name: str, node: Any) -> None:
    """A method has a layer and a loss that can be found; whether it takes the problem it says when run."""
    key = f"protocol.methods.{name}"
    if not isinstance(node, Mapping) or not isinstance(node.get("name"), str):
        raise InvalidConfigError(f"{key} must be a node with a name, a layer and a loss, got {node!r}.")
    if node.get("module") is not None and node.get("layer") is None:
        return  # a model of its own: a row "not applicable"
    for part in ("layer", "loss"):
        target_of(node.get(part), f"{key}.{part}")
        check_types(OmegaConf.create(node[part]), f"{key}.{part}")
