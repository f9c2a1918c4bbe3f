"""Solve a batch instance by instance, on threads, for solvers that take one cost vector at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from diffcomb.problems import OracleAnswer, SolveOptions, Status


@dataclass(frozen=True)
class Solved:
    """One instance: decision z (n,) or None, lower bound, status; unique as in `OracleResult`."""

    decision: np.ndarray | None
    bound: float
    status: Status
    unique: bool | None = None


def solve_each(
    solve_one: Callable[[np.ndarray], Solved], costs: np.ndarray, options: SolveOptions
) -> OracleAnswer:
    """Apply `solve_one` to each row of costs (batch, n), `options.workers` rows at a time.

    Threads, not processes: the solvers behind this release the GIL while they run, and nothing is
    copied. Answers come back in the order of the rows whatever the number of workers.
    """
    workers = min(options.workers, len(costs))
    with tqdm(total=len(costs), desc="solving", unit="instance", disable=not options.progress) as bar:

        def run(cost: np.ndarray) -> Solved:
            solved = solve_one(cost)
            bar.update()
            return solved

        if workers <= 1:
            solved = [run(cost) for cost in costs]
        else:
            with ThreadPoolExecutor(workers) as pool:
                solved = list(pool.map(run, costs))
    decisions = np.zeros_like(costs)
    for row, one in zip(decisions, solved, strict=True):
        if one.decision is not None:
            row[:] = one.decision
    unique = [one.unique for one in solved]
    return OracleAnswer(
        decisions,
        np.array([one.bound for one in solved]),
        tuple(one.status for one in solved),
        None if None in unique else np.array(unique, dtype=bool),
    )
