"""Job shops small enough to try every sequence."""

from __future__ import annotations

from itertools import pairwise, permutations, product

import numpy as np
import torch

from diffcomb.problems import JobShop
from tests.registry import seeded

OBJECTIVES = ("makespan", "completion", "tardiness", "earliness_tardiness")


def random_shop(jobs: int, machines: int, objective: str = "makespan", seed: int = 0, ties: str = "perturb"):
    """A shop and real-valued durations for it."""
    problem = JobShop.random(jobs, machines, objective, generator=seeded(seed), ties=ties)
    return problem, problem.random_costs(generator=seeded(seed + 1))[0]


def all_sequences(problem: JobShop) -> list[np.ndarray]:
    """One sequence for every combination of machine orders without a cycle."""
    on = [np.flatnonzero(problem.machine == m).tolist() for m in range(problem.num_machines)]
    return [
        s for orders in product(*map(permutations, on)) if (s := _topological(problem, orders)) is not None
    ]


def _topological(problem: JobShop, orders) -> np.ndarray | None:
    n = problem.num_costs
    before = [set() for _ in range(n)]
    for i in range(1, n):
        if problem.job[i] == problem.job[i - 1]:
            before[i].add(i - 1)
    for order in orders:
        for u, v in pairwise(order):
            before[v].add(u)
    sequence: list[int] = []
    while len(sequence) < n:
        ready = [i for i in range(n) if i not in sequence and before[i] <= set(sequence)]
        if not ready:
            return None
        sequence.append(ready[0])
    return np.array(sequence)


def brute_force(problem: JobShop, p: torch.Tensor) -> tuple[float, np.ndarray]:
    """Optimal value, and the optimal starts with the least sum of 2^-k s_k; up to 24 operations."""
    durations = p.numpy()
    best, chosen = np.inf, None
    for sequence in all_sequences(problem):
        starts = problem.timing(sequence, durations).starts
        value = float(problem.objective(torch.from_numpy(starts), p))
        if value < best - 1e-7:
            best, chosen = value, None
        if value < best + 1e-7:
            key = float(starts @ 0.5 ** np.arange(len(starts)))
            if chosen is None or key < chosen[0] - 1e-9:
                chosen = (key, starts)
    return best, chosen[1]
