"""Gurobi through gurobipy, an optional extra; the licence that pip brings is size-limited."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from scipy import sparse

from diffcomb.errors import MissingBackendError, SolveFailedError
from diffcomb.oracles.mip.loop import MipOracle, MipOutcome
from diffcomb.oracles.result import Status
from diffcomb.program import Program, Rows


class _GurobiModel:
    def __init__(self, polytope: Program, cost: np.ndarray, seed: int) -> None:
        try:
            self._grb: Any = importlib.import_module("gurobipy")
        except ImportError:
            raise MissingBackendError("Gurobi is not installed: pip install 'diffcomb[gurobi]'.") from None
        environment = self._grb.Env(params={"OutputFlag": 0, "Threads": 1, "Seed": seed})
        self._model = self._grb.Model(env=environment)
        self._model.Params.MIPGap = 0.0
        self._model.Params.MIPGapAbs = 1e-9
        self._model.Params.IntFeasTol = 1e-9
        self._model.Params.FeasibilityTol = 1e-9
        self._x = self._model.addMVar(len(cost), obj=cost, vtype="B")
        if len(polytope.b):
            self._model.addMConstr(sparse.csr_matrix(polytope.A), self._x, "=", polytope.b)
        self.add_rows(Rows(polytope.G, polytope.h))

    def add_rows(self, rows: Rows) -> None:
        if len(rows):
            self._model.addMConstr(sparse.csr_matrix(rows.G), self._x, "<", rows.h)

    def solve(self, seconds: float | None) -> MipOutcome:
        self._model.Params.TimeLimit = self._grb.GRB.INFINITY if seconds is None else seconds
        try:
            self._model.optimize()
        except self._grb.GurobiError as error:
            if "size-limited" in str(error):
                raise MissingBackendError(
                    "This instance exceeds Gurobi's size-limited licence (2000 variables or rows);"
                    " install a full licence or use oracle='highs'."
                ) from None
            raise SolveFailedError(f"Gurobi failed: {error}.") from None
        status, known = self._model.Status, self._grb.GRB
        if status in (known.INFEASIBLE, known.INF_OR_UNBD):
            return MipOutcome(None, np.inf, Status.INFEASIBLE)
        z = np.asarray(self._x.X) if self._model.SolCount else None
        bound = float(self._model.ObjBound)
        if status == known.OPTIMAL:
            return MipOutcome(z, bound, Status.OPTIMAL)
        if status == known.TIME_LIMIT:
            return MipOutcome(z, bound, Status.UNKNOWN if z is None else Status.FEASIBLE)
        raise SolveFailedError(f"Gurobi stopped with status code {status}.")


GUROBI = MipOracle("gurobi", _GurobiModel)
