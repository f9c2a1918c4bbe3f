"""How much memory a run will need, estimated before any of it is taken, against what the machine has."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from diffcomb.errors import InvalidConfigError

#: bytes a cost takes in a problem: its two ends, its columns in the rows, and copies while it is built
_PER_COST = 100

#: costs, and pairs that are looked at, of problems whose size follows from their arguments
COUNTS: dict[str, Callable[[Any], float]] = {
    "TravelingSalesman": lambda p: p.num_cities**2 / 2,
    "Assignment": lambda p: p.size**2,
    "ShortestPath.grid": lambda p: 2 * p.rows * p.cols,
    "Knapsack.random": lambda p: p.num_items * (1 + p.num_resources / 4),
    "GraphColoring.random": lambda p: p.num_vertices**2 + p.num_vertices * p.get("num_colors", 1),
    "TransmitterNetworks": lambda p: p.largest**2 + p.largest * p.num_channels,
    "JobShop.random": lambda p: (p.num_jobs * p.num_machines) ** 2 / 10,
    "RoadTrips": lambda p: (p.rows * p.cols) ** 2 if p.get("network") == "grid" else 0,
}


def problem_bytes(node: Any) -> float:
    """Of the problem that `node` describes; 0 where nothing is known of it before it is built."""
    name = str(node.get("_target_", ""))
    for ending, count in COUNTS.items():
        if name.endswith("." + ending):
            try:
                return _PER_COST * count(node)
            except (AttributeError, TypeError):  # arguments that are missing or of another type
                return 0.0
    return 0.0


def refuse_beyond_memory(needed: float, what: str, instead: str) -> None:
    """Raise InvalidConfigError where `needed` bytes are more than the machine has.

    Args:
        what, instead: of the message: what needs them, which keys to make smaller.
    """
    there = memory_bytes()
    if there is not None and needed > there:
        raise InvalidConfigError(
            f"{what} needs about {_gib(needed)}, and this machine has {_gib(there)};"
            f" choose a smaller {instead}."
        )


def memory_bytes() -> int | None:
    """What this process may use: the machine's memory, or its container's limit; None where nobody says."""
    limits = []
    for path, unit in (
        ("/proc/meminfo", 1024),
        ("/sys/fs/cgroup/memory.max", 1),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", 1),
    ):
        try:
            words = Path(path).read_text().split()
        except OSError:
            continue
        number = words[1] if unit == 1024 else words[0]  # MemTotal: <kB>
        if number.isdigit():
            limits.append(int(number) * unit)
    return min(limits, default=None)


@contextmanager
def allocations_refused() -> Iterator[None]:
    """Inside, an allocation beyond the machine's memory fails at once, and the process is not killed for it.

    On Linux and the CPU; a GPU's driver reserves addresses without end.
    """
    there = memory_bytes()
    if not sys.platform.startswith("linux") or there is None or torch.cuda.is_available():
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    ours = pages * resource.getpagesize() + there
    unlimited = resource.RLIM_INFINITY
    allowed = [limit for limit in (soft, hard, ours) if limit != unlimited]
    resource.setrlimit(resource.RLIMIT_AS, (min(allowed), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class SavedBytes:
    """Counts what a forward pass keeps for its backward."""

    def __init__(self) -> None:
        self.total = 0

    def __enter__(self) -> SavedBytes:
        def keep(tensor: torch.Tensor) -> torch.Tensor:
            self.total += tensor.numel() * tensor.element_size()
            return tensor

        self._hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
        self._hooks.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._hooks.__exit__(*raised)


def _gib(number: float) -> str:
    return f"{number / 2**30:.3g} GiB" if math.isfinite(number) else "endless memory"
