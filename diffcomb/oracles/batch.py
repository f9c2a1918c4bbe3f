"""Solve a batch on threads, instance by instance or in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from diffcomb.oracles.interrupt import Interruption
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

        return _on_threads(run, parts, options.workers)


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

        solved = _on_threads(run, list(costs), options.workers)
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


def _on_threads(run: Callable[[Item], Part], items: Sequence[Item], workers: int) -> list[Part]:
    """run(item) for each, in order; on this thread where one worker is enough.

    Ctrl-C, or an error in one of them, ends the others: see `interrupt`.
    """
    workers = min(workers, len(items))
    if workers <= 1:
        return [run(item) for item in items]
    interruption = Interruption()

    def heard(item: Item) -> Part:
        with interruption.heard():
            return run(item)

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(heard, item) for item in items]
        try:
            done = wait(futures, return_when=FIRST_EXCEPTION).done
            for error in [f.exception() for f in futures if f in done]:
                if error is not None:
                    raise error
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()
            while not all(future.done() for future in futures):
                interruption.end()  # again and again: a solver that is just starting does not hear it
                wait(futures, timeout=0.01)
