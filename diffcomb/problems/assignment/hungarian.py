"""Dedicated assignment oracle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import joined, solve_in_parts
from diffcomb.oracles.clock import Clock
from diffcomb.problems.assignment.assignment import Assignment
from diffcomb.problems.assignment.augment import Matched, assign
from diffcomb.problems.assignment.exact import ENTRIES, assign_exactly
from diffcomb.problems.problem import Problem


class HungarianOracle:
    """Shortest augmenting paths (Jonker & Volgenant 1987), compiled, O(size^3), any sign and size of costs.

    A batch is one compiled call. Where forbidden or forced pairs drown the others in float64, whole numbers
    decide.
    """

    name = "hungarian"

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, Assignment)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, Assignment)
        return joined(solve_in_parts(lambda rows: _solve_rows(rows, problem.size, options), costs, options))


def _solve_rows(costs: np.ndarray, size: int, options: Limits) -> OracleAnswer:
    """One worker's part of a batch, (rows, size * size)."""
    z, matched = np.zeros(costs.shape), Matched.nobody(size)
    bounds: dict[int, float] = {}  # of the rows that met the limit
    row, clock = 0, Clock.of(options)
    while row < len(costs):
        before = row
        row, doubtful = assign(costs, matched, z, row, ENTRIES)
        if row != before:
            clock = Clock.of(options)
        if doubtful:
            job_of = assign_exactly(costs[row - 1].reshape(size, size), clock)
            if job_of is None:
                bounds[row - 1] = -np.inf
            else:
                z[row - 1] = 0.0
                z[row - 1, np.arange(size) * size + job_of] = 1.0
        if row < len(costs) and clock.is_up():
            job_of, bounds[row] = _completed(costs[row].reshape(size, size), matched)
            z[row, np.arange(size) * size + job_of] = 1.0
            matched = Matched.nobody(size)
            row, clock = row + 1, Clock.of(options)
    answer = OracleAnswer.proven(z, costs)
    if not bounds:
        return answer
    statuses = list(answer.statuses)
    for row, bound in bounds.items():
        answer.bounds[row], statuses[row] = min(bound, answer.bounds[row]), Status.FEASIBLE
    return replace(answer, statuses=tuple(statuses))


def _completed(cost: np.ndarray, matched: Matched) -> tuple[np.ndarray, float]:
    """Jobs (N,): workers not matched yet take those left, in order; and the bound of the prices."""
    done = int(matched.next[0])
    job_of = matched.job_of.copy()
    job_of[done:] = np.flatnonzero(matched.worker_of < 0)
    bound = matched.u[:done].sum() + matched.v.sum() + (cost[done:] - matched.v).min(axis=1).sum()
    return job_of, float(bound)
