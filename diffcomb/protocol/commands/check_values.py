"""Values of a config against the ranges in which they mean something, key by key."""

from __future__ import annotations

import dataclasses
import fnmatch
import math
import os
from collections.abc import Callable, Iterator
from typing import Any

from omegaconf import DictConfig

from diffcomb.cores import available_cores
from diffcomb.errors import InvalidConfigError
from diffcomb.protocol.commands.check_types import shown

#: seeds that every generator takes
_MOST_SEED = 2**32 - 1
#: processes on one machine; more than a few a core only wait for each other
_MOST_PROCESSES = max(8, 4 * available_cores())

Test = Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(least: int, most: float = math.inf) -> Test:
    return lambda value: _is_number(value) and value == int(value) and least <= value <= most


def _share(value: Any) -> bool:
    """Batches: a number of them, or the share of all."""
    return _whole(1)(value) if isinstance(value, int) else _is_number(value) and 0 < value <= 1


def _devices(value: Any) -> bool:
    if isinstance(value, str):
        return value == "auto" or value.replace(",", "").isdigit()
    if isinstance(value, int):
        return value == -1 or _whole(1, _MOST_PROCESSES)(value)
    return len(value) > 0 and all(_whole(0)(one) for one in value)


#: pattern of keys -> (what holds, in words); null is allowed where the type allows it
RULES: dict[str, tuple[Test, str]] = {
    "rho": (
        lambda value: value == "auto" or (_is_number(value) and value > 0),
        "rho must be a positive number or auto",
    ),
    "learning_rate": (lambda value: _is_number(value) and value >= 0, "not negative and finite"),
    "weight_decay": (lambda value: _is_number(value) and value >= 0, "not negative and finite"),
    "seed": (_whole(0, _MOST_SEED), f"a whole number in 0..{_MOST_SEED}"),
    "*.seed": (_whole(0, _MOST_SEED), f"a whole number in 0..{_MOST_SEED}"),
    "oracle.time_limit": (lambda value: _is_number(value) and value > 0, "positive, or null"),
    "oracle.num_workers": (_whole(1), "at least 1, or null"),
    "protocol.workers": (_whole(1), "at least 1, or null"),
    "model.hidden": (_whole(1), "at least 1"),
    "model.num_layers": (_whole(0, 1000), "a whole number in 0..1000"),
    "trainer.max_epochs": (_whole(1), "a whole number of at least 1"),
    "trainer.min_epochs": (_whole(0), "a whole number of at least 0"),
    "trainer.max_steps": (lambda value: value == -1 or _whole(1)(value), "at least 1, or -1 for no limit"),
    "trainer.devices": (_devices, f"a number of devices in 1..{_MOST_PROCESSES}, a list of them, or auto"),
    "trainer.num_nodes": (_whole(1), "at least 1"),
    "trainer.limit_train_batches": (_share, "a number of batches, at least 1, or a share in (0, 1]"),
    "trainer.limit_val_batches": (_share, "a number of batches, at least 1, or a share in (0, 1]"),
    "trainer.limit_test_batches": (_share, "a number of batches, at least 1, or a share in (0, 1]"),
    "trainer.overfit_batches": (lambda value: value == 0 or _share(value), "a number or share of batches"),
    "trainer.num_sanity_val_steps": (_whole(-1), "a whole number of at least -1"),
    "trainer.logger": (lambda value: False, "left out; loggers have a group of their own"),
    "trainer.callbacks": (lambda value: False, "left out; callbacks have a group of their own"),
    "trainer.log_every_n_steps": (_whole(0), "a whole number of at least 0"),
    "trainer.val_check_interval": (_share, "a number of batches, at least 1, or a share in (0, 1]"),
    "trainer.check_val_every_n_epoch": (_whole(1), "a whole number of at least 1"),
    "trainer.accumulate_grad_batches": (_whole(1), "a whole number of at least 1"),
    "trainer.gradient_clip_val": (lambda value: _is_number(value) and value >= 0, "not negative"),
    "trainer.fast_dev_run": (lambda value: not value, "false; trainer=debug takes a few steps"),
    "*.tune.epochs": (_whole(0), "a whole number of at least 0"),
}


def check_values(cfg: DictConfig, schema: type) -> None:
    """Refuse what no run can mean: keys beside the `schema`, negative rates, no epochs, limits of nothing.

    Raises:
        InvalidConfigError: naming the key, its range and what it got.
    """
    known = [field.name for field in dataclasses.fields(schema)]
    for key in map(str, cfg):
        if key not in known:
            raise InvalidConfigError(f"{key} means nothing; the keys are {', '.join(known)}.")
    for key, value in _leaves(cfg, ""):
        for pattern, (holds, range_) in RULES.items():
            if value is None and key not in ("rho", "trainer.max_epochs"):
                continue
            fits = key == pattern or ("*" in pattern and fnmatch.fnmatch(key, pattern))
            if fits and not _true(holds, value):
                sentence = range_ if range_.startswith(key) else f"{key} must be {range_}"
                raise InvalidConfigError(f"{sentence}, got {shown(value)}.")
    _check_together(cfg)


def _true(holds: Test, value: Any) -> bool:
    try:
        return holds(value)
    except (TypeError, ValueError, AttributeError):  # of another type altogether
        return False


def _check_together(cfg: DictConfig) -> None:
    trainer = cfg.get("trainer") or {}
    every, epochs = trainer.get("check_val_every_n_epoch"), trainer.get("max_epochs")
    if every is not None and epochs is not None and every > epochs:
        raise InvalidConfigError(
            f"trainer.check_val_every_n_epoch {every} is beyond trainer.max_epochs {epochs}; the validation"
            " set, which the best checkpoint is chosen on, would never be judged."
        )
    if trainer.get("num_nodes", 1) > 1 and not {"MASTER_ADDR", "SLURM_NTASKS"} & set(os.environ):
        raise InvalidConfigError(
            f"trainer.num_nodes {trainer['num_nodes']} waits for machines that nobody started; start one"
            " process a machine with MASTER_ADDR and NODE_RANK set, or use Slurm."
        )


def _leaves(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of everything that is no mapping."""
    # the run's own numbers before those that take them over
    for name in sorted(node, key=lambda name: isinstance(node._get_node(name), DictConfig)):
        path = f"{key}.{name}" if key else str(name)
        if key == "" and name == "output_dir":
            continue  # Hydra may not be running
        value = node[name]
        if isinstance(value, DictConfig | dict):
            yield from _leaves(value, path)
        else:
            yield path, value
