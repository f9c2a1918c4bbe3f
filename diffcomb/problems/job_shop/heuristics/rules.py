"""Dispatching rules as an oracle: the plain control for job shops."""

from __future__ import annotations

import numpy as np

from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.problems.job_shop.job_shop import JobShop
from diffcomb.problems.job_shop.search.grid import common_grid, fine_grid
from diffcomb.problems.job_shop.search.start import best_dispatch
from diffcomb.problems.problem import Problem


class DispatchingRules:
    """The best active schedule (Giffler & Thompson 1960) of a few priority rules. A heuristic.

    Most work remaining, shortest operation, weighted shortest job, due date and slack where there are
    due dates; then the same rules with 20 % noise, 50 schedules in all. No bound, no proof.
    """

    name = "dispatching"
    exact = False

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, JobShop)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, JobShop)

        def solve_one(p: np.ndarray) -> Solved:
            grid = common_grid(problem, p) or fine_grid(problem, p, noise=False)
            sequence = best_dispatch(problem, grid, options.seed)
            return Solved(problem.timing(sequence, p).starts, -np.inf, Status.HEURISTIC)

        return solve_each(solve_one, costs, options)
