"""Gurobi through gurobipy, an optional extra; the licence that pip brings is size-limited."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy import sparse

from diffcomb.errors import MissingBackendError, SolveFailedError
from diffcomb.oracles.interrupt import Watch
from diffcomb.oracles.mip.loop import MipOracle
from diffcomb.oracles.mip.model import MipOutcome, Setup
from diffcomb.oracles.result import Status


class _GurobiModel:
    def __init__(self, setup: Setup) -> None:
        try:
            self._grb: Any = importlib.import_module("gurobipy")
        except ImportError:
            raise MissingBackendError("Gurobi is not installed: pip install 'diffcomb[gurobi]'.") from None
        form, known = setup.form, self._grb.GRB
        with self._errors():
            # one environment for all models that are never in use at the same time
            if "gurobi" not in setup.store:
                setup.store["gurobi"] = self._grb.Env(params={"OutputFlag": 0, "Threads": 1})
            self._model = self._grb.Model(env=setup.store["gurobi"])
            for name, value in (
                ("Seed", setup.seed),
                ("MIPGap", 0.0),
                ("MIPGapAbs", 1e-9),
                ("IntFeasTol", 1e-9),
                ("FeasibilityTol", 1e-9),
                ("OptimalityTol", 1e-9),
            ):
                self._model.setParam(name, value)
            kinds = np.where(form.program.integer, known.INTEGER, known.CONTINUOUS)
            self._y = self._model.addMVar(form.num_columns, lb=form.lower, ub=form.upper, vtype=kinds)
            self._rows = None
            if len(setup.up):
                senses = np.where(np.arange(len(setup.up)) < form.num_equal, "=", "<")
                self._rows = self._model.addMConstr(sparse.csr_matrix(form.matrix), self._y, senses, setup.up)
            self._model.update()

    def set_sides(self, low: np.ndarray, up: np.ndarray) -> None:
        if self._rows is not None:
            self._rows.RHS = up

    def set_bounds(self, lower: np.ndarray, upper: np.ndarray) -> None:
        self._y.LB, self._y.UB = lower, upper

    def add_rows(self, matrix: sparse.csr_array, up: np.ndarray, steps: np.ndarray) -> None:
        self._model.addMConstr(sparse.csr_matrix(matrix), self._y, "<", up)

    def solve(self, cost: np.ndarray, watch: Watch) -> MipOutcome:
        left, known = watch.left, self._grb.GRB
        with self._errors():
            self._y.Obj = cost
            # the last solution would decide ties
            self._model.reset()
            self._model.Params.TimeLimit = known.INFINITY if left is None else left
            with watch.running(self._model.terminate):
                self._model.optimize()
            status = self._model.Status
            if status in (known.INFEASIBLE, known.INF_OR_UNBD):
                return MipOutcome(None, np.inf, Status.INFEASIBLE)
            y = np.asarray(self._y.X) if self._model.SolCount else None
            is_mip = self._model.IsMIP
            bound = float(
                self._model.ObjBound if is_mip else self._model.ObjVal if y is not None else -np.inf
            )
        if status == known.OPTIMAL:
            return MipOutcome(y, bound, Status.OPTIMAL)
        if status == known.TIME_LIMIT:
            return MipOutcome(
                y, bound if is_mip else -np.inf, Status.UNKNOWN if y is None else Status.FEASIBLE
            )
        if status == known.INTERRUPTED:
            raise watch.interrupted()
        raise SolveFailedError(f"Gurobi stopped with status code {status}.")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._grb.GurobiError as error:
            if "size-limited" in str(error):
                raise MissingBackendError(
                    "This instance exceeds Gurobi's size-limited licence (2000 variables or rows);"
                    " install a full licence or use oracle='highs'."
                ) from None
            raise SolveFailedError(f"Gurobi failed: {error}.") from None


GUROBI = MipOracle("gurobi", _GurobiModel)
