"""OR-Tools CP-SAT (Apache-2.0) as an oracle for programs whose variables are all integer."""

from __future__ import annotations

from math import floor, log2

import numpy as np
from ortools.sat.python import cp_model
from scipy import sparse

from diffcomb.errors import SolveFailedError, UnsupportedError
from diffcomb.oracles.interrupt import Watch
from diffcomb.oracles.mip.loop import MipOracle
from diffcomb.oracles.mip.model import MipOutcome, Setup, in_time
from diffcomb.oracles.result import Status

#: costs, at most 1, are rounded to multiples of this; decisions are optimal on that grid, that is, to half
#: of it for each unit that a variable may move
_GRID = 30
#: what the objective may sum to, in multiples
_LARGEST_OBJECTIVE = 2.0**60
_MINUS_INFINITY = -(2**63)


class _CpSatModel:
    """Rows come with sums below 2^30: beyond 2^31 presolve of release 9.15 loses solutions."""

    def __init__(self, setup: Setup) -> None:
        form, self._seed = setup.form, setup.seed
        self._model = cp_model.CpModel()
        self._lower, self._upper = form.lower.astype(np.int64), form.upper.astype(np.int64)
        bounds = zip(self._lower.tolist(), self._upper.tolist(), strict=True)
        self._vars = [self._model.new_int_var(low, up, "") for low, up in bounds]
        self._matrix, self._steps = form.matrix, form.steps
        self._append(form.matrix, setup.low, setup.up, form.steps, setup.watch)

    def _append(
        self,
        matrix: sparse.csr_array,
        low: np.ndarray,
        up: np.ndarray,
        steps: np.ndarray,
        watch: Watch | None,
    ) -> None:
        if not (steps > 0).all():
            raise UnsupportedError("CP-SAT needs rows in whole numbers of some unit; use oracle='highs'.")
        for k in in_time(len(up), watch):
            span = slice(matrix.indptr[k], matrix.indptr[k + 1])
            numbers = np.round(matrix.data[span] / steps[k]).astype(np.int64)
            row = cp_model.LinearExpr.weighted_sum(
                [self._vars[i] for i in matrix.indices[span]], numbers.tolist()
            )
            side = int(np.round(up[k] / steps[k]))
            self._model.add(row <= side if np.isinf(low[k]) else row == side)

    def set_sides(self, low: np.ndarray, up: np.ndarray) -> None:
        constraints = self._model.proto.constraints
        for k, side in enumerate(np.round(up / self._steps[: len(up)]).astype(np.int64).tolist()):
            domain = constraints[k].linear.domain
            domain.clear()
            domain.extend([_MINUS_INFINITY if np.isinf(low[k]) else side, side])

    def set_bounds(self, lower: np.ndarray, upper: np.ndarray) -> None:
        self._lower, self._upper = lower.astype(np.int64), upper.astype(np.int64)
        variables = self._model.proto.variables
        for i, pair in enumerate(zip(self._lower.tolist(), self._upper.tolist(), strict=True)):
            variables[i].domain.clear()
            variables[i].domain.extend(pair)

    def add_rows(self, matrix: sparse.csr_array, up: np.ndarray, steps: np.ndarray) -> None:
        self._append(matrix, np.full(len(up), -np.inf), up, steps, None)

    def solve(self, cost: np.ndarray, watch: Watch) -> MipOutcome:
        reach = np.maximum(np.abs(self._lower), np.abs(self._upper)).astype(np.float64)
        size = float((np.abs(cost) * reach).sum() + reach.sum() * 2.0**-_GRID)
        grid = 2.0 ** -min(_GRID, floor(log2(_LARGEST_OBJECTIVE / max(size, 1.0))))
        numbers = np.round(cost / grid).astype(np.int64)
        self._model.clear_objective()
        self._model.minimize(cp_model.LinearExpr.weighted_sum(self._vars, numbers.tolist()))
        solver, left = cp_model.CpSolver(), watch.left
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self._seed
        solver.parameters.linearization_level = 2
        solver.parameters.catch_sigint_signal = False
        if left is not None:
            solver.parameters.max_time_in_seconds = left
        with watch.running(solver.stop_search):
            status = solver.solve(self._model)
        if status == cp_model.INFEASIBLE:
            return MipOutcome(None, np.inf, Status.INFEASIBLE)
        if status == cp_model.MODEL_INVALID:
            raise SolveFailedError("CP-SAT refuses the model: numbers too large for it; use oracle='highs'.")
        bound = solver.best_objective_bound * grid - float((self._upper - self._lower).sum()) * grid / 2
        if status == cp_model.UNKNOWN:
            return MipOutcome(None, bound, Status.UNKNOWN)
        y = np.array(solver.response_proto.solution, dtype=np.float64)
        return MipOutcome(y, bound, Status.OPTIMAL if status == cp_model.OPTIMAL else Status.FEASIBLE)


CPSAT = MipOracle("cpsat", _CpSatModel, whole_only=True)
