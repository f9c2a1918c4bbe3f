"""SCIP (Apache-2.0) through PySCIPOpt, an optional extra."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from scipy import sparse

from diffcomb.errors import MissingBackendError, SolveFailedError
from diffcomb.oracles.mip.loop import MipOracle, MipOutcome
from diffcomb.oracles.result import Status
from diffcomb.program import Program, Rows


class _ScipModel:
    def __init__(self, polytope: Program, cost: np.ndarray, seed: int) -> None:
        try:
            self._scip: Any = importlib.import_module("pyscipopt")
        except ImportError:
            raise MissingBackendError("SCIP is not installed: pip install 'diffcomb[scip]'.") from None
        self._model = self._scip.Model()
        self._model.hideOutput()
        self._model.setParam("randomization/randomseedshift", seed)
        self._model.setParam("numerics/feastol", 1e-9)
        self._model.setParam("limits/gap", 0.0)
        self._model.setParam("limits/absgap", 0.0)
        self._vars = [self._model.addVar(vtype="B", obj=float(c)) for c in cost]
        self._append(polytope.A, polytope.b, equality=True)
        self._append(polytope.G, polytope.h, equality=False)

    def _append(self, matrix: sparse.csr_array, rhs: np.ndarray, *, equality: bool) -> None:
        for k in range(len(rhs)):
            span = slice(matrix.indptr[k], matrix.indptr[k + 1])
            terms = zip(matrix.data[span].tolist(), matrix.indices[span], strict=True)
            row = self._scip.quicksum(a * self._vars[i] for a, i in terms)
            self._model.addCons(row == float(rhs[k]) if equality else row <= float(rhs[k]))

    def add_rows(self, rows: Rows) -> None:
        self._model.freeTransform()
        self._append(rows.G, rows.h, equality=False)

    def solve(self, seconds: float | None) -> MipOutcome:
        self._model.setParam("limits/time", 1e20 if seconds is None else seconds)
        self._model.optimizeNogil()
        status = self._model.getStatus()
        if status == "infeasible":
            return MipOutcome(None, np.inf, Status.INFEASIBLE)
        z = None
        if self._model.getNSols():
            best = self._model.getBestSol()
            z = np.array([self._model.getSolVal(best, v) for v in self._vars])
        bound = float(self._model.getDualbound())
        if status == "optimal":
            return MipOutcome(z, bound, Status.OPTIMAL)
        if status == "timelimit":
            return MipOutcome(z, bound, Status.UNKNOWN if z is None else Status.FEASIBLE)
        raise SolveFailedError(f"SCIP stopped with status {status}.")


SCIP = MipOracle("scip", _ScipModel)
