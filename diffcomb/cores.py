"""How many processor cores this process may use."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Those the scheduler grants (cpusets of containers and job arrays), where the system tells; else all."""
    granted = getattr(os, "sched_getaffinity", None)  # Linux alone
    return len(granted(0)) if granted is not None else os.cpu_count() or 1
