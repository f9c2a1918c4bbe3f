"""Dedicated assignment oracle."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.problems.assignment.assignment import Assignment
from diffcomb.problems.problem import Problem


class HungarianOracle:
    """scipy's modified Jonker-Volgenant algorithm (Crouse 2016), O(size^3), any sign of costs."""

    name = "hungarian"

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, Assignment)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, Assignment)
        size = problem.size

        def solve_one(cost: np.ndarray) -> Solved:
            rows, columns = linear_sum_assignment(cost.reshape(size, size))
            z = np.zeros(problem.num_costs)
            z[rows * size + columns] = 1.0
            return Solved(z, float(cost @ z), Status.OPTIMAL)

        return solve_each(solve_one, costs, options)
