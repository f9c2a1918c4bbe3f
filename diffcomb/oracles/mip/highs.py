"""HiGHS (Huangfu & Hall 2018, MIT licence) as a mixed-integer oracle."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from highspy._core import cb
from scipy import sparse

from diffcomb.errors import SolveFailedError
from diffcomb.oracles.interrupt import Watch
from diffcomb.oracles.mip.loop import MipOracle
from diffcomb.oracles.mip.model import MipOutcome, Setup
from diffcomb.oracles.result import Status
from diffcomb.quiet_highs import QuietHighs

_TOLERANCES = {
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 1e-9,
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "mip_feasibility_tolerance": 1e-9,
    "small_matrix_value": 1e-12,
}
#: searches inside the search and fresh starts cost most of the time of a program that ends after a few
#: nodes; small ones are tried without them first
_SMALL = 300
_QUICK = {
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
    "mip_allow_restart": False,
    "mip_max_nodes": 50,
}
_THOROUGH = {
    "mip_heuristic_run_rins": True,
    "mip_heuristic_run_rens": True,
    "mip_heuristic_run_root_reduced_cost": True,
    "mip_allow_restart": True,
    "mip_max_nodes": 2**31 - 1,
}
#: entries of a linear program from which Python is asked at every iteration whether to go on
_LONG_LINEAR_PROGRAM = 100_000


class _HighsModel:
    def __init__(self, setup: Setup) -> None:
        form = setup.form
        # typed loosely: the stubs of highspy lack some of its methods
        self._highs: Any = QuietHighs()
        self._is_linear = form.is_linear
        whole = 0 if form.is_linear else int(form.program.integer.sum())
        self._ways: list[dict[str, Any]] = [
            *([_QUICK] if 0 < whole <= _SMALL else []),
            _THOROUGH,
            {"presolve": "off"},
        ]
        self._set({"random_seed": setup.seed, **_TOLERANCES})
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = form.num_columns, len(setup.up)
        lp.col_cost_ = np.zeros(form.num_columns)
        lp.col_lower_, lp.col_upper_ = form.lower, form.upper
        lp.row_lower_, lp.row_upper_ = setup.low, setup.up
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = form.matrix.indptr.astype(np.int32)
        lp.a_matrix_.index_ = form.matrix.indices.astype(np.int32)
        lp.a_matrix_.value_ = form.matrix.data
        if whole:
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            lp.integrality_ = [kinds[int(i)] for i in form.program.integer]
        self._highs.passModel(lp)
        self._columns = np.arange(form.num_columns, dtype=np.int32)
        self._rows = np.arange(len(setup.up), dtype=np.int32)
        self._low, self._up, self._lower, self._upper = setup.low, setup.up, form.lower, form.upper
        self._stop = False
        self._highs.setCallback(self._on_event, None)
        self._highs.startCallback(cb.HighsCallbackType.kCallbackMipInterrupt)
        if len(form.matrix.data) >= _LONG_LINEAR_PROGRAM:
            self._highs.startCallback(cb.HighsCallbackType.kCallbackSimplexInterrupt)

    def _set(self, options: dict[str, Any]) -> None:
        for option, value in options.items():
            self._highs.setOptionValue(option, value)

    def _on_event(self, kind: Any, message: str, out: Any, answer: Any, data: Any) -> None:
        if self._stop:
            answer.user_interrupt = True

    def _interrupt(self) -> None:
        self._stop = True

    def set_sides(self, low: np.ndarray, up: np.ndarray) -> None:
        self._low, self._up = low, up
        self._highs.changeRowsBounds(len(up), self._rows, low, up)

    def set_bounds(self, lower: np.ndarray, upper: np.ndarray) -> None:
        self._lower, self._upper = lower, upper
        self._highs.changeColsBounds(len(lower), self._columns, lower, upper)

    def add_rows(self, matrix: sparse.csr_array, up: np.ndarray, steps: np.ndarray) -> None:
        start, index = matrix.indptr[:-1].astype(np.int32), matrix.indices.astype(np.int32)
        self._low = np.concatenate([self._low, np.full(len(up), -np.inf)])
        self._up = np.concatenate([self._up, up])
        self._highs.addRows(len(up), np.full(len(up), -np.inf), up, matrix.nnz, start, index, matrix.data)

    def solve(self, cost: np.ndarray, watch: Watch) -> MipOutcome:
        self._highs.changeColsCost(len(cost), self._columns, cost)
        if self._is_linear:
            outcome = self._run(watch)
            # a tie would be decided by the last basis: decide it as a fresh model does
            if outcome and outcome.status is Status.OPTIMAL and self._is_unique():
                return outcome
        for way in self._ways:
            self._highs.clearSolver()
            self._set({"presolve": "choose", **way})
            outcome = self._run(watch)
            if outcome:
                return outcome
        raise SolveFailedError(f"HiGHS stopped with {self._stopped_with}.")

    def _run(self, watch: Watch) -> MipOutcome | None:
        """None: HiGHS gave up, for numerical reasons or its limit of nodes."""
        left = watch.left
        # HiGHS counts the time of linear programs over the life of the model, that of searches anew
        spent = self._highs.getRunTime() if self._is_linear else 0.0
        self._highs.setOptionValue("time_limit", np.inf if left is None else spent + left)
        with watch.running(self._interrupt):
            self._highs.run()
        status, known = self._highs.getModelStatus(), highspy.HighsModelStatus
        # bounds are finite
        if status in (known.kInfeasible, known.kUnboundedOrInfeasible):
            return MipOutcome(None, np.inf, Status.INFEASIBLE)
        info = self._highs.getInfo()
        found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        y = np.asarray(self._highs.getSolution().col_value) if found else None
        if status == known.kOptimal:
            bound = info.objective_function_value if self._is_linear else info.mip_dual_bound
            return MipOutcome(y, bound, Status.OPTIMAL)
        if status == known.kTimeLimit:
            bound = -np.inf if self._is_linear else info.mip_dual_bound
            return MipOutcome(y, bound, Status.UNKNOWN if y is None else Status.FEASIBLE)
        self._stopped_with = self._highs.modelStatusToString(status)
        return None

    def _is_unique(self) -> bool:
        """No reduced cost outside the basis is zero; equalities and fixed columns aside."""
        status, basic = self._highs.getBasicVariables()
        if status != highspy.HighsStatus.kOk:
            return False
        solution = self._highs.getSolution()
        duals = np.concatenate([solution.col_dual, solution.row_dual])
        free = np.concatenate([self._lower < self._upper, self._low < self._up])
        # a basic row i is given as -1 - i
        free[np.where(basic >= 0, basic, len(self._columns) - 1 - basic)] = False
        return bool((np.abs(duals[free]) > 1e-9).all())


HIGHS = MipOracle("highs", _HighsModel)
