"""Mixed-integer backends: one driver that solves, separates and re-solves for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.oracles.limits import Limits
from diffcomb.oracles.oracle import Decidable, OracleAnswer
from diffcomb.oracles.result import Status
from diffcomb.program import Program, Rows


@dataclass(frozen=True)
class MipOutcome:
    """decision (n,) or None, lower bound, and whether the backend proved it optimal."""

    decision: np.ndarray | None
    bound: float
    status: Status


class MipModel(Protocol):
    """min cost'z over {0,1}^n and the rows added so far, in one backend."""

    def add_rows(self, rows: Rows) -> None: ...

    def solve(self, seconds: float | None) -> MipOutcome: ...


ModelFactory = Callable[[Program, np.ndarray, int], MipModel]


class MipOracle:
    """min theta'z over the polytope's rows, z binary; rows of the lazy kind join when violated.

    A lazy problem (subtours) is re-solved until its optimum lies in Z: each round's optimum is a
    lower bound, the first one inside Z is optimal. On a time limit the last point is repaired into Z
    where the problem knows how, and returned unproven with the best bound.

    Args:
        name: of the oracle.
        build: (polytope, cost, seed) -> model, the backend.
    """

    def __init__(self, name: str, build: ModelFactory) -> None:
        self.name = name
        self._build = build

    def supports(self, problem: Decidable) -> bool:
        return problem.is_binary

    def solve(self, problem: Decidable, costs: np.ndarray, options: Limits) -> OracleAnswer:
        polytope = problem.polytope()
        return solve_each(lambda cost: self._solve_one(problem, polytope, cost, options), costs, options)

    def _solve_one(self, problem: Decidable, polytope: Program, cost: np.ndarray, options: Limits) -> Solved:
        deadline = None if options.time_limit is None else time.perf_counter() + options.time_limit
        # solvers' tolerances are absolute: give every instance the same scale
        scale = np.abs(cost).max(initial=0.0) or 1.0
        model = self._build(polytope, cost / scale, options.seed)
        bound = -np.inf
        while True:
            left = None if deadline is None else max(deadline - time.perf_counter(), 1e-3)
            outcome = model.solve(left)
            if outcome.status is Status.INFEASIBLE:
                return Solved(None, np.inf, Status.INFEASIBLE)
            bound = max(bound, outcome.bound * scale)
            z = outcome.decision
            if z is None:
                return Solved(None, bound, Status.UNKNOWN)
            z = np.round(z)
            violated = problem.lazy_rows(z)
            if not len(violated) and bool(problem.is_feasible(torch.from_numpy(z))):
                if outcome.status is Status.OPTIMAL:
                    return Solved(z, float(cost @ z), Status.OPTIMAL)
                return Solved(z, bound, Status.FEASIBLE)
            if outcome.status is not Status.OPTIMAL or (deadline and time.perf_counter() > deadline):
                repaired = problem.repair(z, cost)
                status = Status.UNKNOWN if repaired is None else Status.FEASIBLE
                return Solved(repaired, bound, status)
            model.add_rows(violated)
