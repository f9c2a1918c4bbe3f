"""Random instances: the same (problem, size, trial, seed) is the same instance in every process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Generator, Tensor

from diffcomb.oracles import OracleResult, oracle_names
from diffcomb.problems import (
    Assignment,
    GraphColoring,
    JobShop,
    Knapsack,
    Problem,
    ShortestPath,
    TravelingSalesman,
)
from diffcomb.protocol.setup.benchmark_files import read_benchmark

#: name -> (size, generator) -> problem. A size counts: cities; vertices (half of all edges); jobs and
#: machines; workers; rows and columns of the grid; items (two resources).
FAMILIES: dict[str, Callable[[int, Generator], Problem]] = {
    "tsp": lambda size, _: TravelingSalesman(size),
    "coloring": lambda size, generator: GraphColoring.random(size, 0.5, generator=generator),
    "jobshop": lambda size, generator: JobShop.random(size, size, generator=generator),
    "assignment": lambda size, _: Assignment(size),
    "shortest_path": lambda size, _: ShortestPath.grid(size, size),
    "knapsack": lambda size, _: Knapsack.random(size, 2, tightness=0.4, seed=size),
}


@dataclass(frozen=True, eq=False)
class Trial:
    """problem; true costs (n,); theta (n,), a prediction of them that is 30 % off; best known value."""

    problem: Problem
    costs: Tensor
    theta: Tensor
    best_known: float | None
    time_limit: float | None = None

    @property
    def oracles(self) -> list[str]:
        return oracle_names(self.problem)


def seeded(*identity: object) -> Generator:
    """A generator that depends on the identity alone, not on the process or on what ran before."""
    digest = hashlib.sha256(repr(identity).encode()).digest()
    return Generator().manual_seed(int.from_bytes(digest[:7], "big"))


@lru_cache(maxsize=64)
def family_problem(family: str, size: int, trial: int, seed: int) -> Problem:
    """Graphs and shops differ from trial to trial, other feasible sets depend on the size alone."""
    if family in ("coloring", "jobshop"):
        return FAMILIES[family](size, seeded(family, size, trial, seed, "instance"))
    return FAMILIES[family](size, Generator()) if trial == 0 else family_problem(family, size, 0, seed)


@lru_cache(maxsize=64)
def trial_of(family: str, size: str, trial: int, seed: int, data_folder: str | None) -> Trial:
    """Random instance number `trial`, or, where `size` is no number, the benchmark file of that name."""
    best_known = None
    if size.isdigit():
        problem = family_problem(family, int(size), trial, seed)
        costs = problem.random_costs(generator=seeded(family, size, trial, seed, "costs"))[0]
    else:
        assert data_folder is not None
        problem, best_known = read_benchmark(family, size, data_folder)
        assert problem.costs is not None
        costs = problem.costs
    noise = torch.randn(
        costs.shape, generator=seeded(family, size, trial, seed, "theta"), dtype=torch.float64
    )
    return Trial(problem, costs, costs * torch.exp(0.3 * noise), best_known)


@lru_cache(maxsize=256)
def optimum(trial: Trial, of: str = "costs", time_limit: float | None = None) -> OracleResult:
    """z* and V of the trial's "costs" or "theta", by the problem's own oracle."""
    return trial.problem.solve(getattr(trial, of), time_limit=time_limit, num_workers=1)
