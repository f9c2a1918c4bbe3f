"""What a report says about where it was made."""

from __future__ import annotations

import platform
from importlib import metadata

import diffcomb
from diffcomb.cores import available_cores

_PACKAGES = ("torch", "numpy", "scipy", "numba", "highspy", "ortools", "piqp", "clarabel")


def describe_machine() -> dict[str, str]:
    """Processor, cores, system, Python and the versions that numbers depend on."""
    facts = {
        "processor": _processor(),
        "cores": str(available_cores()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "diffcomb": diffcomb.__version__,
    }
    for package in _PACKAGES:
        try:
            facts[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            facts[package] = "not installed"
    return facts


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
