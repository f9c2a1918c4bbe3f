"""HiGHS (Huangfu & Hall 2018, MIT licence) as a mixed-integer oracle."""

from __future__ import annotations

import highspy
import numpy as np

from diffcomb.errors import SolveFailedError
from diffcomb.oracles.mip.loop import MipOracle, MipOutcome
from diffcomb.oracles.result import Status
from diffcomb.program import Program, Rows
from diffcomb.quiet_highs import QuietHighs


class _HighsModel:
    def __init__(self, polytope: Program, cost: np.ndarray, seed: int) -> None:
        n = polytope.num_vars
        self._highs = QuietHighs()
        for option, value in (
            ("random_seed", seed),
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", 1e-9),
            ("primal_feasibility_tolerance", 1e-9),
            ("dual_feasibility_tolerance", 1e-9),
            ("mip_feasibility_tolerance", 1e-9),
        ):
            self._highs.setOptionValue(option, value)
        lp = highspy.HighsLp()
        lp.num_col_ = n
        lp.col_cost_ = cost
        lp.col_lower_, lp.col_upper_ = np.zeros(n), np.ones(n)
        # every vertex of an integral polytope is 0-1, and the simplex method ends at a vertex
        self._is_lp = polytope.integral and not polytope.is_lazy
        if not self._is_lp:
            lp.integrality_ = [highspy.HighsVarType.kInteger] * n
        self._highs.passModel(lp)
        infinite = np.full(len(polytope.h), -np.inf)
        self._append(polytope.A.indptr, polytope.A.indices, polytope.A.data, polytope.b, polytope.b)
        self._append(polytope.G.indptr, polytope.G.indices, polytope.G.data, infinite, polytope.h)

    def _append(
        self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, low: np.ndarray, up: np.ndarray
    ) -> None:
        if len(up):
            self._highs.addRows(
                len(up), low, up, len(data), indptr[:-1].astype(np.int32), indices.astype(np.int32), data
            )

    def add_rows(self, rows: Rows) -> None:
        self._append(rows.G.indptr, rows.G.indices, rows.G.data, np.full(len(rows), -np.inf), rows.h)

    def solve(self, seconds: float | None) -> MipOutcome:
        # HiGHS counts run time over the life of the model
        limit = np.inf if seconds is None else self._highs.getRunTime() + seconds
        self._highs.setOptionValue("time_limit", float(limit))
        self._highs.run()
        status = self._highs.getModelStatus()
        info = self._highs.getInfo()
        solution = self._highs.getSolution()
        found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        z = np.asarray(solution.col_value) if found else None
        known = highspy.HighsModelStatus
        if status == known.kInfeasible:
            return MipOutcome(None, np.inf, Status.INFEASIBLE)
        if status == known.kOptimal:
            bound = info.objective_function_value if self._is_lp else info.mip_dual_bound
            return MipOutcome(z, bound, Status.OPTIMAL)
        if status == known.kTimeLimit:
            bound = info.mip_dual_bound if np.isfinite(info.mip_dual_bound) else -np.inf
            return MipOutcome(z, bound, Status.UNKNOWN if z is None else Status.FEASIBLE)
        raise SolveFailedError(f"HiGHS stopped with {self._highs.modelStatusToString(status)}.")


HIGHS = MipOracle("highs", _HighsModel)
