"""Convex quadratic objectives over any mixed-integer program, with linear oracles alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.errors import SolveFailedError
from diffcomb.oracles.batch import Solved
from diffcomb.oracles.limits import Limits
from diffcomb.oracles.oracle import Oracle, OracleAnswer, find_oracle
from diffcomb.oracles.result import Status
from diffcomb.program import Program, Rows
from diffcomb.program.remainder import solve_remainder

#: relative to the size of the objective, how far above its bound an optimum may be
_GAP = 1e-9


class OuterApproximation:
    """min c'x + x'Q x / 2 over Z (Duran & Grossmann 1986, Mathematical Programming 36).

    The linear oracle minimises c'x + t over Z with t >= q(y) + (Q y)'(x - y) for the points y found so far,
    q(x) = x'Q x / 2. Each optimum is a lower bound and names integers; with these held, the rest is a convex
    program, whose optimum is the next y. No integers are named twice without a proof, so it ends.

    Args:
        master: the linear oracle, by name or itself.
    """

    name = "outer_approximation"

    def __init__(self, master: str | Oracle = "highs") -> None:
        self.master = master

    def supports(self, problem: Any) -> bool:
        return bool(getattr(problem, "is_quadratic", False))

    def solve(self, problem: Any, costs: np.ndarray, limits: Limits) -> OracleAnswer:
        """costs (batch, n); statuses and bounds as proven by the linear oracle."""
        program = problem.polytope()

        def decide(cost: np.ndarray) -> Solved:
            if program.integer.any():
                return self._mixed(program, cost, limits)
            return self._continuous(program, cost)

        with ThreadPoolExecutor(max(1, min(limits.workers, len(costs)))) as pool:
            solved = list(pool.map(decide, costs))
        decisions = [np.zeros(costs.shape[1]) if one.decision is None else one.decision for one in solved]
        return OracleAnswer(
            np.array(decisions).reshape(costs.shape),
            np.array([one.bound for one in solved]),
            tuple(one.status for one in solved),
        )

    def _continuous(self, program: Program, cost: np.ndarray) -> Solved:
        x = solve_remainder(program, cost, np.zeros(program.num_vars))
        if x is None:
            return Solved(None, np.inf, Status.INFEASIBLE)
        return Solved(x, _value(program, cost, x), Status.OPTIMAL)

    def _mixed(self, program: Program, cost: np.ndarray, limits: Limits) -> Solved:
        master = _Master(program, cost)
        answer = find_oracle(self.master, master).solve(
            master, np.append(cost, 1.0)[None], replace(limits, num_workers=1, progress=False)
        )
        status, bound = answer.statuses[0], float(answer.bounds[0])
        if status in (Status.INFEASIBLE, Status.UNKNOWN):
            return Solved(master.best, bound, Status.FEASIBLE if master.best is not None else status)
        # the master's optimum has the right integers; the best point for them is the decision
        master.point(answer.decisions[0][:-1])
        assert master.best is not None
        value = _value(program, cost, master.best)
        return Solved(master.best, value if status is Status.OPTIMAL else min(bound, value), status)


class _Master:
    """The linear program over (x, t), for the linear oracle: cuts are its lazy rows."""

    is_binary = False
    has_program = True
    default_oracle = "highs"
    oracles: Sequence[Any] = ()

    def __init__(self, program: Program, cost: np.ndarray) -> None:
        assert program.quadratic is not None
        self._inner, self._cost, self._Q = program, cost, program.quadratic
        self.num_costs = self.num_vars = program.num_vars + 1
        self.best: np.ndarray | None = None
        #: by the integers that were held
        self._points: dict[bytes, np.ndarray] = {}
        farthest = np.maximum(np.abs(program.lower), np.abs(program.upper))
        self._program = Program(
            _widened(program.A),
            program.b,
            _widened(program.G),
            program.h,
            False,
            separation=lambda x: Rows.empty(self.num_vars),
            lower=np.append(program.lower, 0.0),
            upper=np.append(program.upper, 0.5 * farthest @ abs(self._Q) @ farthest + 1.0),
            integer=np.append(program.integer, False),
        )

    def polytope(self) -> Program:
        return self._program

    def repair(self, z: np.ndarray, cost: np.ndarray) -> np.ndarray | None:
        return None

    def is_feasible(self, z: Tensor) -> Tensor:
        """The rows are the oracle's affair; t is settled by `lazy_rows`."""
        return torch.ones(z.shape[:-1], dtype=torch.bool)

    def lazy_rows(self, z: np.ndarray) -> Rows:
        """The tangent at the best point with the integers of z = (x, t), where z promises less than it."""
        x, t = z[:-1], float(z[-1])
        y, is_new = self.point(x)
        size = np.abs(self._cost) @ np.abs(y) + 0.5 * y @ self._Q @ y
        if not is_new or self._cost @ x + t >= _value(self._inner, self._cost, y) - _GAP * size:
            return Rows.empty(self.num_vars)
        slope = self._Q @ y
        tangent = sparse.csr_array(np.append(slope, -1.0)[None])
        return Rows(tangent, np.array([0.5 * float(y @ slope)]))

    def point(self, x: np.ndarray) -> tuple[np.ndarray, bool]:
        """The best point with the integers of x, and whether they are asked for the first time.

        A second time its tangent is a row already: what is missing then is rounding.
        """
        key = np.round(x[self._inner.integer]).tobytes()
        if key in self._points:
            return self._points[key], False
        y = solve_remainder(self._inner, self._cost, x)
        if y is None:
            raise SolveFailedError(
                "The continuous part has no solution for integers that a linear oracle has."
            )
        self._points[key] = y
        if self.best is None or _value(self._inner, self._cost, y) < _value(
            self._inner, self._cost, self.best
        ):
            self.best = y
        return y, True


def _value(program: Program, cost: np.ndarray, x: np.ndarray) -> float:
    Q = program.quadratic
    return float(cost @ x) + (0.0 if Q is None else 0.5 * float(x @ (Q @ x)))


def _widened(matrix: sparse.csr_array) -> sparse.csr_array:
    """One more column, empty."""
    rows, columns = matrix.shape
    return sparse.csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(rows, columns + 1))
