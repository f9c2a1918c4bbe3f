"""SCIP (Apache-2.0) through PySCIPOpt, an optional extra."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from scipy import sparse

from diffcomb.errors import MissingBackendError, SolveFailedError
from diffcomb.oracles.interrupt import Watch
from diffcomb.oracles.mip.loop import MipOracle
from diffcomb.oracles.mip.model import MipOutcome, Setup, in_time
from diffcomb.oracles.result import Status


class _ScipModel:
    def __init__(self, setup: Setup) -> None:
        try:
            self._scip: Any = importlib.import_module("pyscipopt")
        except ImportError:
            raise MissingBackendError("SCIP is not installed: pip install 'diffcomb[scip]'.") from None
        self._model = self._scip.Model()
        self._model.hideOutput()
        for name, value in (
            ("randomization/randomseedshift", setup.seed),
            ("numerics/feastol", 1e-9),
            ("numerics/dualfeastol", 1e-9),
            ("limits/gap", 0.0),
            ("limits/absgap", 0.0),
            # Ctrl-C is ours: SCIP's own handler knows of one model in one thread
            ("misc/catchctrlc", False),
        ):
            self._model.setParam(name, value)
        form = setup.form
        kinds = ["I" if whole else "C" for whole in form.program.integer]
        bounds = zip(kinds, form.lower.tolist(), form.upper.tolist(), strict=True)
        self._vars = [self._model.addVar(vtype=kind, lb=low, ub=up) for kind, low, up in bounds]
        self._rows = self._append(form.matrix, setup.low, setup.up, setup.watch)

    def _append(
        self, matrix: sparse.csr_array, low: np.ndarray, up: np.ndarray, watch: Watch | None
    ) -> list[Any]:
        rows, empty = [], self._scip.Expr()
        for k in in_time(len(up), watch):
            span = slice(matrix.indptr[k], matrix.indptr[k + 1])
            terms = zip(matrix.data[span].tolist(), matrix.indices[span].tolist(), strict=True)
            expression = self._scip.quicksum(a * self._vars[i] for a, i in terms) + empty
            sides = (expression <= float(up[k])) if np.isinf(low[k]) else (expression == float(up[k]))
            rows.append(self._model.addCons(sides))
        return rows

    def set_sides(self, low: np.ndarray, up: np.ndarray) -> None:
        self._model.freeTransform()
        for row, below, above in zip(self._rows, low.tolist(), up.tolist(), strict=True):
            self._model.chgRhs(row, above)
            if np.isfinite(below):
                self._model.chgLhs(row, below)

    def set_bounds(self, lower: np.ndarray, upper: np.ndarray) -> None:
        self._model.freeTransform()
        for variable, low, up in zip(self._vars, lower.tolist(), upper.tolist(), strict=True):
            self._model.chgVarLb(variable, low)
            self._model.chgVarUb(variable, up)

    def add_rows(self, matrix: sparse.csr_array, up: np.ndarray, steps: np.ndarray) -> None:
        self._model.freeTransform()
        self._append(matrix, np.full(len(up), -np.inf), up, None)

    def solve(self, cost: np.ndarray, watch: Watch) -> MipOutcome:
        self._model.freeTransform()
        used = np.flatnonzero(cost)
        terms = zip(cost[used].tolist(), used.tolist(), strict=True)
        self._model.setObjective(self._scip.quicksum(c * self._vars[i] for c, i in terms), "minimize")
        left = watch.left
        self._model.setParam("limits/time", 1e20 if left is None else left)
        with watch.running(self._model.interruptSolve):
            self._model.optimizeNogil()
        status = self._model.getStatus()
        if status in ("infeasible", "inforunbd"):
            return MipOutcome(None, np.inf, Status.INFEASIBLE)
        y = None
        if self._model.getNSols():
            best = self._model.getBestSol()
            y = np.array([self._model.getSolVal(best, v) for v in self._vars])
        bound = float(self._model.getDualbound())
        if status == "optimal":
            return MipOutcome(y, bound, Status.OPTIMAL)
        if status == "timelimit":
            return MipOutcome(y, bound, Status.UNKNOWN if y is None else Status.FEASIBLE)
        raise SolveFailedError(f"SCIP stopped with status {status}.")


SCIP = MipOracle("scip", _ScipModel)
