"""CPLEX through IBM's own package, an optional extra; the licence that pip brings is size-limited."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from scipy import sparse

from diffcomb.errors import MissingBackendError, SolveFailedError
from diffcomb.oracles.mip.loop import MipOracle, MipOutcome
from diffcomb.oracles.result import Status
from diffcomb.program import Program, Rows

_COMMUNITY_EDITION_LIMIT = 1016  # CPXERR_RESTRICTED_VERSION


class _CplexModel:
    def __init__(self, polytope: Program, cost: np.ndarray, seed: int) -> None:
        try:
            self._cplex: Any = importlib.import_module("cplex")
        except ImportError:
            raise MissingBackendError("CPLEX is not installed: pip install 'diffcomb[cplex]'.") from None
        self._model = self._cplex.Cplex()
        for stream in ("log", "results", "warning", "error"):
            getattr(self._model, f"set_{stream}_stream")(None)
        parameters = self._model.parameters
        parameters.threads.set(1)
        parameters.randomseed.set(seed)
        parameters.mip.tolerances.mipgap.set(0.0)
        parameters.mip.tolerances.absmipgap.set(0.0)
        parameters.mip.tolerances.integrality.set(0.0)
        parameters.simplex.tolerances.feasibility.set(1e-9)
        n = len(cost)
        self._model.variables.add(obj=cost.tolist(), types="B" * n)
        self._append(polytope.A, polytope.b, "E")
        self._append(polytope.G, polytope.h, "L")

    def _append(self, matrix: sparse.csr_array, rhs: np.ndarray, sense: str) -> None:
        if len(rhs):
            spans = [slice(matrix.indptr[k], matrix.indptr[k + 1]) for k in range(len(rhs))]
            self._model.linear_constraints.add(
                lin_expr=[[matrix.indices[s].tolist(), matrix.data[s].tolist()] for s in spans],
                senses=sense * len(rhs),
                rhs=rhs.tolist(),
            )

    def add_rows(self, rows: Rows) -> None:
        self._append(rows.G, rows.h, "L")

    def solve(self, seconds: float | None) -> MipOutcome:
        self._model.parameters.timelimit.set(1e75 if seconds is None else seconds)
        try:
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
        z = np.array(solution.get_values()) if solution.is_primal_feasible() else None
        bound = float(solution.MIP.get_best_objective())
        if status in (known.MIP_optimal, known.optimal_tolerance):
            return MipOutcome(z, bound, Status.OPTIMAL)
        if status in (known.MIP_time_limit_feasible, known.MIP_time_limit_infeasible):
            return MipOutcome(z, bound, Status.UNKNOWN if z is None else Status.FEASIBLE)
        raise SolveFailedError(f"CPLEX stopped with {solution.get_status_string()}.")


CPLEX = MipOracle("cplex", _CplexModel)
