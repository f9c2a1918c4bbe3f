"""An exact oracle for small mixed-integer programs that shares nothing with the library's own."""

from __future__ import annotations

from typing import Any

import gurobipy
import numpy as np
import torch
from torch import Tensor

from diffcomb.oracles import Limits, OracleAnswer, OracleResult, Status
from diffcomb.problems import Problem
from diffcomb.program import Program, Rows


class Reference:
    """Gurobi on the arrays of `problem.polytope()`, row by row, bounds and integers as they stand there."""

    name = "reference"

    def supports(self, problem: Any) -> bool:
        return True

    def solve(self, problem: Problem, costs: np.ndarray, limits: Limits) -> OracleAnswer:
        found = [self._decided(problem, c) for c in costs]
        statuses = tuple(Status.INFEASIBLE if z is None else Status.OPTIMAL for z, _ in found)
        rows = [np.zeros(costs.shape[1]) if z is None else z for z, _ in found]
        return OracleAnswer(np.array(rows), np.array([value for _, value in found]), statuses)

    def _decided(self, problem: Problem, cost: np.ndarray) -> tuple[np.ndarray | None, float]:
        """Rows of the lazy kind join as they are violated."""
        program = problem.polytope()
        while True:
            z, value = minimum(program, cost)
            rows = Rows.empty(program.num_vars) if z is None else problem.lazy_rows(z)
            if not len(rows):
                return z, value
            program = program.with_rows(rows)


def minimum(program: Program, costs: np.ndarray) -> tuple[np.ndarray | None, float]:
    """z and value of min c'x + x'Q x / 2."""
    with gurobipy.Env(params={"OutputFlag": 0}) as env, gurobipy.Model(env=env) as model:
        model.Params.MIPGap, model.Params.FeasibilityTol, model.Params.IntFeasTol = 0.0, 1e-9, 1e-9
        model.Params.OptimalityTol = 1e-9
        kinds = np.where(program.integer, "I", "C")
        x = model.addMVar(program.num_vars, lb=program.lower, ub=program.upper, vtype=kinds)
        goal = costs @ x
        if program.quadratic is not None:
            goal = goal + 0.5 * (x @ program.quadratic.toarray() @ x)
        model.setObjective(goal)
        if len(program.b):
            model.addConstr(program.A.toarray() @ x == program.b)
        if len(program.h):
            model.addConstr(program.G.toarray() @ x <= program.h)
        model.optimize()
        if model.Status != gurobipy.GRB.OPTIMAL:
            return None, np.inf
        z = np.where(program.integer, np.round(x.X), x.X)
        return z, float(model.ObjVal)


def decide(problem: Problem, theta: Tensor | None = None) -> OracleResult:
    """`problem.solve` with the reference oracle."""
    if theta is not None:
        theta = torch.as_tensor(theta, dtype=torch.float64)
    return problem.solve(theta, Reference())
