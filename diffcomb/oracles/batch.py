"""Solve a batch on threads, instance by instance or in parts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from diffcomb.oracles.clock import called_off_by
from diffcomb.oracles.interruption import Interruption
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


Item = TypeVar("Item")
Answer = TypeVar("Answer")

#: parts a worker gets: instances differ in effort
_PARTS_EACH = 4
#: seconds that workers get to notice that they were called off; whoever does not look is left behind
_PATIENCE = 1.0


def solve_in_parts(
    solve_part: Callable[[np.ndarray], Answer], costs: np.ndarray, options: Limits
) -> list[Answer]:
    """Answers of `solve_part` to consecutive rows of costs (batch, n), in order; for compiled batches.

    One call where one worker is asked for and nobody watches.
    """
    count = options.workers * _PARTS_EACH if options.workers > 1 or options.progress else 1
    parts = np.array_split(costs, max(1, min(count, len(costs))))
    with tqdm(total=len(costs), desc="solving", unit="instance", disable=not options.progress) as bar:

        def run(part: np.ndarray) -> Answer:
            solved = solve_part(part)
            bar.update(len(part))
            return solved

        return _on_workers(run, parts, options.workers)


def solve_each(solve_one: Callable[[np.ndarray], Solved], costs: np.ndarray, options: Limits) -> OracleAnswer:
    """Apply `solve_one` to each row of costs (batch, n), `options.workers` rows at a time.

    Threads, not processes: the solvers behind this release the GIL while they run, and nothing is
    copied. Answers come back in the order of the rows whatever the number of workers.
    """
    with tqdm(total=len(costs), desc="solving", unit="instance", disable=not options.progress) as bar:

        def run(cost: np.ndarray) -> Solved:
            solved = solve_one(cost)
            bar.update()
            return solved

        return collected(_on_workers(run, costs, options.workers), costs)


def collected(solved: Sequence[Solved], costs: np.ndarray) -> OracleAnswer:
    """Answers to the rows of costs (batch, n) as one."""
    decisions = np.zeros_like(costs)
    for row, one in zip(decisions, solved, strict=True):
        if one.decision is not None:
            row[:] = one.decision
    unique = [one.unique for one in solved]
    return OracleAnswer(
        decisions,
        np.array([one.bound for one in solved], dtype=np.float64),
        tuple(one.status for one in solved),
        None if None in unique else np.array(unique, dtype=bool),
    )


def joined(parts: Sequence[OracleAnswer]) -> OracleAnswer:
    """Answers to consecutive rows as one; uniqueness is not asked for."""
    if len(parts) == 1:
        return parts[0]
    return OracleAnswer(
        np.concatenate([part.decisions for part in parts]),
        np.concatenate([part.bounds for part in parts]),
        tuple(status for part in parts for status in part.statuses),
    )


def _on_workers(
    run: Callable[[Item], Answer], items: Sequence[Item] | np.ndarray, workers: int
) -> list[Answer]:
    """run of every item, in order. The first error, or Ctrl-C, calls the others off."""
    if min(workers, len(items)) <= 1:
        return [run(item) for item in items]
    called_off, interruption = threading.Event(), Interruption()

    def watched(item: Item) -> Answer:
        with called_off_by(called_off), interruption.heard():
            return run(item)

    pool = ThreadPoolExecutor(min(workers, len(items)))
    futures: list[Future[Answer]] = []
    try:
        futures += [pool.submit(watched, item) for item in items]
        answers = [future.result() for future in futures]
    except BaseException:
        called_off.set()
        interruption.end()
        pool.shutdown(wait=False, cancel_futures=True)
        wait(futures, timeout=_PATIENCE)
        raise
    pool.shutdown()
    return answers
