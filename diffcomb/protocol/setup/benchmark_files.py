"""Benchmark files with the best value known of them."""

from __future__ import annotations

import csv
from pathlib import Path

import torch

from diffcomb.data import tsplib_optima
from diffcomb.problems import GraphColoring, JobShop, Problem, TravelingSalesman

#: problem -> folder below the data folder, suffix
FOLDERS = {"tsp": ("tsplib", ".tsp"), "jobshop": ("jobshop", ".txt"), "coloring": ("coloring", ".col")}


def read_benchmark(problem: str, name: str, data_folder: str) -> tuple[Problem, float | None]:
    """The instance, with costs, and its best known value.

    A DIMACS graph has no costs of its own: it gets seeded uniform ones, and no best known value.
    """
    folder, suffix = FOLDERS[problem]
    path = Path(data_folder) / folder / f"{name}{suffix}"
    if problem == "tsp":
        return TravelingSalesman.from_tsplib(path), tsplib_optima().get(name)
    if problem == "jobshop":
        return JobShop.from_file(path), _column(path.parent / "instances.csv", name, "best_ub")
    graph = GraphColoring.from_dimacs(path)
    graph.costs = graph.random_costs(generator=torch.Generator().manual_seed(0))[0]
    return graph, None


def best_known_colors(name: str, data_folder: str) -> float | None:
    """The fewest colours known of a DIMACS graph."""
    return _column(Path(data_folder) / "coloring" / "instances.csv", name, "best_ub")


def _column(table: Path, name: str, column: str) -> float | None:
    if not table.exists():
        return None
    with table.open() as file:
        for row in csv.DictReader(file):
            if row["name"] == name and row[column]:
                return float(row[column])
    return None
