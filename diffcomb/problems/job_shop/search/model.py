"""The job shop as a CP-SAT model with interval variables (OR-Tools, Apache-2.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from diffcomb.oracles import Status
from diffcomb.oracles.interruption import run_cp_sat
from diffcomb.problems.job_shop.job_shop import JobShop
from diffcomb.problems.job_shop.search.grid import Grid


@dataclass(frozen=True)
class ModelOutcome:
    """starts (n,) int64 or None, lower bound of the objective, status."""

    starts: np.ndarray | None
    objective: float
    bound: float
    status: Status


class ScheduleModel:
    """Start times on the grid; objectives are minimised one after the other.

    Args:
        problem, grid: what to schedule.
        horizon: no operation ends later.
    """

    def __init__(self, problem: JobShop, grid: Grid, horizon: int, seed: int) -> None:
        self._problem, self._seed = problem, seed
        self._model = model = cp_model.CpModel()
        self._durations = q = grid.durations.tolist()
        #: (late and early variable, due date) per job, for hints
        self._deviations: list[tuple[Any, Any, int]] = []
        self.starts = [model.new_int_var(0, horizon - duration, "") for duration in q]
        intervals = [
            model.new_fixed_size_interval_var(s, duration, "")
            for s, duration in zip(self.starts, q, strict=True)
        ]
        for i in range(1, problem.num_costs):
            if problem.job[i] == problem.job[i - 1]:
                model.add(self.starts[i] >= self.starts[i - 1] + q[i - 1])
        for m in range(problem.num_machines):
            model.add_no_overlap([intervals[i] for i in np.flatnonzero(problem.machine == m)])
        self.objective: Any = self._objective(grid, horizon)

    def _objective(self, grid: Grid, horizon: int) -> Any:
        problem, model = self._problem, self._model
        last = problem.last.tolist()
        ends = [self.starts[i] + int(grid.durations[i]) for i in last]
        if problem.criterion == "makespan":
            makespan = model.new_int_var(0, horizon, "")
            for end in ends:
                model.add(makespan >= end)
            return makespan
        if problem.criterion == "completion":
            return sum(int(w) * end for w, end in zip(grid.weights, ends, strict=True))
        terms = []
        for end, d, w, e in zip(ends, grid.due_dates, grid.weights, grid.earliness, strict=True):
            late = model.new_int_var(0, horizon + abs(int(d)), "")
            model.add(late >= end - int(d))
            terms.append(int(w) * late)
            early = None
            if problem.criterion == "earliness_tardiness":
                early = model.new_int_var(0, horizon + abs(int(d)), "")
                model.add(early >= int(d) - end)
                terms.append(int(e) * early)
            self._deviations.append((late, early, int(d)))
        return sum(terms)

    def hint(self, starts: np.ndarray) -> None:
        """Where to begin: a whole schedule; starts without the deviations can trap a search for sums."""
        model = self._model
        model.clear_hints()
        for variable, value in zip(self.starts, starts.tolist(), strict=True):
            model.add_hint(variable, value)
        last = self._problem.last.tolist()
        for i, (late, early, due) in zip(last, self._deviations, strict=False):  # none without due dates
            deviation = int(starts[i]) + self._durations[i] - due
            model.add_hint(late, max(deviation, 0))
            if early is not None:
                model.add_hint(early, max(-deviation, 0))

    def at_most(self, expression: Any, bound: int) -> None:
        self._model.add(expression <= bound)

    def fix(self, operation: int, start: int) -> None:
        self._model.add(self.starts[operation] == start)

    def minimize(self, expression: Any, seconds: float | None, effort: float | None) -> ModelOutcome:
        """effort: a deterministic limit in CP-SAT's units (about seconds)."""
        self._model.minimize(expression)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self._seed
        # a linear relaxation proves sums over jobs, and slows the proof of a makespan tenfold
        solver.parameters.linearization_level = 0 if self._problem.criterion == "makespan" else 1
        # bounds on a 32-bit grid creep up one by one without it: the choice among optima took minutes
        solver.parameters.use_strong_propagation_in_disjunctive = True
        if expression is self.objective:
            solver.parameters.use_dynamic_precedence_in_disjunctive = True
        else:  # small searches around a known schedule: presolve took longer than they do
            solver.parameters.cp_model_presolve = False
        if seconds is not None:
            solver.parameters.max_time_in_seconds = seconds
        if effort is not None:
            solver.parameters.max_deterministic_time = effort
        status, _ = run_cp_sat(solver, self._model)
        if status == cp_model.INFEASIBLE:
            return ModelOutcome(None, np.inf, np.inf, Status.INFEASIBLE)
        if status == cp_model.UNKNOWN:
            return ModelOutcome(None, np.inf, solver.best_objective_bound, Status.UNKNOWN)
        starts = np.array([solver.value(s) for s in self.starts], np.int64)
        proven = Status.OPTIMAL if status == cp_model.OPTIMAL else Status.FEASIBLE
        return ModelOutcome(starts, solver.objective_value, solver.best_objective_bound, proven)
