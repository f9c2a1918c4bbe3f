"""Mixed-integer backends: one driver that solves, separates and re-solves for all of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import torch

from diffcomb.errors import SolveFailedError, UnsupportedError
from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.oracles.interrupt import RunningSolvers, Watch, run_interruptibly
from diffcomb.oracles.limits import Limits
from diffcomb.oracles.mip.kept import KeptModel, Lane, lane
from diffcomb.oracles.mip.levels import decide
from diffcomb.oracles.mip.model import ModelFactory, OutOfTime
from diffcomb.oracles.mip.search import Search
from diffcomb.oracles.oracle import Decidable, OracleAnswer
from diffcomb.oracles.result import Status
from diffcomb.program import Program

#: costs beyond are divided by a power of two that keeps every digit of ordinary ones
_HUGE, _SHRINK = 2.0**900, 2.0**200


class MipOracle:
    """min theta'x over the rows and bounds of a problem's program; rows of the lazy kind join when violated.

    Whole coordinates come back whole, and every answer satisfies the rows exactly (`Membership`). A lazy
    problem (subtours) is re-solved until its optimum lies in Z: each round's optimum is a lower bound, the
    first one inside Z is optimal. On a time limit the last point is repaired into Z where the problem knows
    how, and returned unproven with the best bound.

    Args:
        name: of the oracle.
        build: the backend.
        whole_only: the backend takes whole columns alone, and rows in whole numbers.
    """

    def __init__(self, name: str, build: ModelFactory, *, whole_only: bool = False) -> None:
        self.name = name
        self._build, self._whole_only = build, whole_only

    def supports(self, problem: Decidable) -> bool:
        return problem.has_program

    def solve(self, problem: Decidable, costs: np.ndarray, options: Limits) -> OracleAnswer:
        """As of `Oracle`.

        Raises:
            UnsupportedError: a quadratic objective, or a continuous variable where the backend has none.
            MissingBackendError: not installed, or the licence is too small.
            SolveFailedError: the problem contradicts itself, or the backend gave up.
        """
        program = problem.polytope()
        self._check(program)
        answer = run_interruptibly(
            lambda running: solve_each(
                partial(self._solve_one, problem, program, options, running), costs, options
            )
        )
        found = [k for k, s in enumerate(answer.statuses) if s in (Status.OPTIMAL, Status.FEASIBLE)]
        if not bool(problem.is_feasible(torch.from_numpy(answer.decisions[found])).all()):
            raise SolveFailedError(
                f"{type(problem).__name__}.is_feasible refuses a point that satisfies every row of its"
                " polytope() and lazy_rows(): one of them is wrong."
            )
        return answer

    def _check(self, program: Program) -> None:
        if program.quadratic is not None:
            raise UnsupportedError(
                f"Oracle {self.name!r} minimises linear objectives only; this program has a quadratic term."
            )
        if self._whole_only and not program.integer.all():
            place = int(np.flatnonzero(~program.integer)[0])
            raise UnsupportedError(
                f"Oracle {self.name!r} takes integer variables only, and variable {place} is continuous;"
                " use oracle='highs'."
            )

    def _solve_one(
        self, problem: Decidable, program: Program, options: Limits, running: RunningSolvers, cost: np.ndarray
    ) -> Solved:
        watch = Watch(options.time_limit, running)
        # sums of finite costs must be finite
        shrink = _SHRINK if np.abs(cost).max(initial=0.0) > _HUGE else 1.0
        key = (self.name, program.structure_key, options.seed)
        with lane() as own:
            kept = own.model(key, program, partial(self._model, program, options, own))
            if kept.num_lazy and not is_generic(cost):
                # rows kept from other costs might decide a tie
                kept = self._model(program, options, own)
            try:
                solved = decide(Search(self.name, problem, kept, watch), cost / shrink)
            except OutOfTime:
                kept.forget()
                return Solved(None, -np.inf, Status.UNKNOWN)
            except BaseException:
                own.models.pop(key, None)
                raise
            if not kept.is_worth_keeping:
                own.models.pop(key, None)
        with np.errstate(over="ignore"):
            value = np.inf if solved.decision is None else float(cost @ solved.decision)
            bound = value if solved.status is Status.OPTIMAL else solved.bound * shrink
        return replace(solved, bound=bound)

    def _model(self, program: Program, options: Limits, own: Lane) -> KeptModel:
        return KeptModel(program, self._build, options.seed, own.store, whole_rows=self._whole_only)


def is_generic(cost: np.ndarray) -> bool:
    """No two decisions are likely to tie: costs are all different, none is 0, and they have no small unit.

    The optimum then does not depend on rows that a model has kept from other costs.
    """
    sizes = np.abs(cost)
    top = float(sizes.max(initial=0.0))
    if top == 0.0 or len(np.unique(sizes)) < len(sizes) or (sizes == 0.0).any():
        return False
    scaled = sizes * (2.0**20 / 2.0 ** np.ceil(np.log2(top)))
    return bool((scaled != np.round(scaled)).any())
