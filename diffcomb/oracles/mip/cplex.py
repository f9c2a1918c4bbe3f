"""CPLEX through IBM's own package, an optional extra; the licence that pip brings is size-limited."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from scipy import sparse

from diffcomb.errors import MissingBackendError, SolveFailedError
from diffcomb.oracles.interrupt import Watch
from diffcomb.oracles.mip.loop import MipOracle
from diffcomb.oracles.mip.model import MipOutcome, Setup
from diffcomb.oracles.result import Status

_COMMUNITY_EDITION_LIMIT = 1016  # CPXERR_RESTRICTED_VERSION


class _CplexModel:
    def __init__(self, setup: Setup) -> None:
        try:
            self._cplex: Any = importlib.import_module("cplex")
        except ImportError:
            raise MissingBackendError("CPLEX is not installed: pip install 'diffcomb[cplex]'.") from None
        self._model = self._cplex.Cplex()
        for stream in ("log", "results", "warning", "error"):
            getattr(self._model, f"set_{stream}_stream")(None)
        self._aborter = self._model.use_aborter(self._cplex.Aborter())
        parameters = self._model.parameters
        parameters.threads.set(1)
        parameters.randomseed.set(setup.seed)
        # a kept solution would decide ties
        parameters.advance.set(0)
        parameters.mip.tolerances.mipgap.set(0.0)
        parameters.mip.tolerances.absmipgap.set(0.0)
        parameters.mip.tolerances.integrality.set(0.0)
        parameters.simplex.tolerances.feasibility.set(1e-9)
        parameters.simplex.tolerances.optimality.set(1e-9)
        form = setup.form
        kinds = "".join("I" if whole else "C" for whole in form.program.integer)
        self._model.variables.add(
            obj=[0.0] * form.num_columns, lb=form.lower.tolist(), ub=form.upper.tolist(), types=kinds
        )
        senses = "E" * form.num_equal + "L" * (len(setup.up) - form.num_equal)
        self._append(form.matrix, setup.up, senses)

    def _append(self, matrix: sparse.csr_array, rhs: np.ndarray, senses: str) -> None:
        if len(rhs):
            spans = [slice(matrix.indptr[k], matrix.indptr[k + 1]) for k in range(len(rhs))]
            self._model.linear_constraints.add(
                lin_expr=[[matrix.indices[s].tolist(), matrix.data[s].tolist()] for s in spans],
                senses=senses,
                rhs=rhs.tolist(),
            )

    def set_sides(self, low: np.ndarray, up: np.ndarray) -> None:
        self._model.linear_constraints.set_rhs(list(enumerate(up.tolist())))

    def set_bounds(self, lower: np.ndarray, upper: np.ndarray) -> None:
        self._model.variables.set_lower_bounds(list(enumerate(lower.tolist())))
        self._model.variables.set_upper_bounds(list(enumerate(upper.tolist())))

    def add_rows(self, matrix: sparse.csr_array, up: np.ndarray, steps: np.ndarray) -> None:
        self._append(matrix, up, "L" * len(up))

    def solve(self, cost: np.ndarray, watch: Watch) -> MipOutcome:
        left = watch.left
        self._model.objective.set_linear(list(enumerate(cost.tolist())))
        self._model.parameters.timelimit.set(1e75 if left is None else left)
        try:
            with watch.running(self._aborter.abort):
                self._model.solve()
        except self._cplex.exceptions.CplexSolverError as error:
            if error.args[2] == _COMMUNITY_EDITION_LIMIT:
                raise MissingBackendError(
                    "This instance exceeds CPLEX Community Edition (1000 variables or rows);"
                    " install a full licence or use oracle='highs'."
                ) from None
            raise SolveFailedError(f"CPLEX failed: {error.args[0]}.") from None
        solution = self._model.solution
        status, known = solution.get_status(), solution.status
        if status in (known.MIP_infeasible, known.MIP_infeasible_or_unbounded):
            return MipOutcome(None, np.inf, Status.INFEASIBLE)
        y = np.array(solution.get_values()) if solution.is_primal_feasible() else None
        bound = float(solution.MIP.get_best_objective())
        if status in (known.MIP_optimal, known.optimal_tolerance):
            return MipOutcome(y, bound, Status.OPTIMAL)
        if status in (known.MIP_time_limit_feasible, known.MIP_time_limit_infeasible):
            return MipOutcome(y, bound, Status.UNKNOWN if y is None else Status.FEASIBLE)
        if status in (known.MIP_abort_feasible, known.MIP_abort_infeasible):
            raise watch.interrupted()
        raise SolveFailedError(f"CPLEX stopped with {solution.get_status_string()}.")


CPLEX = MipOracle("cplex", _CplexModel)
