"""Solve a batch on threads, instance by instance or in parts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from diffcomb.oracles.limits import Limits
from diffcomb.oracles.oracle import OracleAnswer
from diffcomb.oracles.result import Status


@dataclass(frozen=True)
class Solved:
    """One instance: decision z (n,) or None, lower bound, status; unique as in `OracleResult`."""

    decision: np.ndarray | None
    bound: float
    status: Status
    unique: bool | None = None


Part = TypeVar("Part")

#: parts a worker gets: instances differ in effort
_PARTS_EACH = 4


def solve_in_parts(
    solve_part: Callable[[np.ndarray], Part], costs: np.ndarray, options: Limits
) -> list[Part]:
    """Answers of `solve_part` to consecutive rows of costs (batch, n), in order; for compiled batches.

    One call where one worker is asked for and nobody watches.
    """
    count = options.workers * _PARTS_EACH if options.workers > 1 or options.progress else 1
    parts = np.array_split(costs, max(1, min(count, len(costs))))
    with tqdm(total=len(costs), desc="solving", unit="instance", disable=not options.progress) as bar:

        def run(part: np.ndarray) -> Part:
            solved = solve_part(part)
            bar.update(len(part))
            return solved

        if options.workers <= 1 or len(parts) == 1:
            return [run(part) for part in parts]
        with ThreadPoolExecutor(options.workers) as pool:
            return list(pool.map(run, parts))


def solve_each(solve_one: Callable[[np.ndarray], Solved], costs: np.ndarray, options: Limits) -> OracleAnswer:
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
