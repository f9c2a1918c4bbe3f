"""Published optima shipped with the package."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources


@cache
def tsplib_optima() -> dict[str, float]:
    """Instance name -> proven optimal tour length, as published with TSPLIB95."""
    table = resources.files("diffcomb.data").joinpath("tsplib_optima.csv").read_text()
    return {row["name"]: float(row["optimum"]) for row in csv.DictReader(table.splitlines())}
