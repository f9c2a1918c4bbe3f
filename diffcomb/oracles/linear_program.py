"""min c'x over a polytope, at a vertex: the simplex method of HiGHS, warm from call to call."""

from __future__ import annotations

import highspy
import numpy as np

from diffcomb.errors import InfeasibleError, SolveFailedError
from diffcomb.program import Program, Rows
from diffcomb.quiet_highs import QuietHighs


class LinearProgram:
    """Built once per polytope; lazy rows join when violated and stay.

    Args:
        polytope: X. Every answer is a vertex of X, fractional where X is an outer relaxation.
    """

    def __init__(self, polytope: Program) -> None:
        self.polytope = polytope
        n = polytope.num_vars
        self._highs = QuietHighs()
        for option, value in (
            ("solver", "simplex"),
            ("primal_feasibility_tolerance", 1e-9),
            ("dual_feasibility_tolerance", 1e-9),
        ):
            self._highs.setOptionValue(option, value)
        lp = highspy.HighsLp()
        lp.num_col_, lp.col_cost_ = n, np.zeros(n)
        lp.col_lower_, lp.col_upper_ = np.zeros(n), np.ones(n)
        self._highs.passModel(lp)
        self._append(Rows(polytope.A, polytope.b), polytope.b)
        self._append(Rows(polytope.G, polytope.h), np.full(len(polytope.h), -np.inf))

    def _append(self, rows: Rows, low: np.ndarray) -> None:
        if len(rows):
            G = rows.G
            start, index = G.indptr[:-1].astype(np.int32), G.indices.astype(np.int32)
            self._highs.addRows(len(rows), low, rows.h, G.nnz, start, index, G.data)

    def minimize(self, cost: np.ndarray) -> np.ndarray:
        """A vertex x (n,) of X with the least cost'x, cost (n,).

        Raises:
            InfeasibleError: X is empty. SolveFailedError: HiGHS stopped for another reason.
        """
        n = self.polytope.num_vars
        scale = float(np.abs(cost).max(initial=0.0)) or 1.0
        self._highs.changeColsCost(n, np.arange(n, dtype=np.int32), np.ascontiguousarray(cost / scale))
        while True:
            self._highs.run()
            status = self._highs.getModelStatus()
            if status == highspy.HighsModelStatus.kInfeasible:
                raise InfeasibleError("The polytope is empty: no x in [0, 1]^n satisfies its rows.")
            if status != highspy.HighsModelStatus.kOptimal:
                raise SolveFailedError(f"HiGHS stopped with {self._highs.modelStatusToString(status)}.")
            x = np.asarray(self._highs.getSolution().col_value)
            # a simplex basis leaves integral vertices off by rounding only
            near = np.round(x)
            x = np.where(np.abs(x - near) <= 1e-9, near, np.clip(x, 0.0, 1.0))
            violated = self.polytope.separate(x)
            if not len(violated):
                return x
            self._append(violated, np.full(len(violated), -np.inf))
