"""The job-shop scheduling problem."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from diffcomb.data import read_jobshop
from diffcomb.errors import InvalidCostsError, InvalidInstanceError, UnknownNameError, UnsupportedError
from diffcomb.problems.job_shop.derivatives import ScheduleRemainder, value_gradient
from diffcomb.problems.job_shop.due_dates import DATED, near_dates
from diffcomb.problems.job_shop.execution import executed_starts, retimed_starts
from diffcomb.problems.job_shop.just_in_time import JobDates, just_in_time_timing
from diffcomb.problems.job_shop.timing import Timing, longest_path_timing, sequence_of, tie_breaking_noise
from diffcomb.problems.job_shop.units import common_unit
from diffcomb.problems.problem import CostGraph, Problem
from diffcomb.program import Program
from diffcomb.program.own_arrays import real_numbers, whole_number, whole_numbers

OBJECTIVES = ("makespan", "completion", "tardiness", "earliness_tardiness")
TIES = ("perturb", "starts", "any")

Values = Tensor | np.ndarray | Sequence[float]


class JobShop(Problem):
    """min f(C(s)) over start times s (n,) of all operations, theta = their durations p (n,).

    Operations are numbered job by job. s_v >= s_u + p_u along a job; on a machine one operation at a
    time; C_j is the end of job j. f is one of

        makespan              max_j C_j
        completion            sum_j w_j C_j
        tardiness             sum_j w_j max(C_j - d_j, 0)
        earliness_tardiness   sum_j w_j max(C_j - d_j, 0) + e_j max(d_j - C_j, 0)

    The decision moves with the durations: machine sequences are locally constant, start times are not,
    so their derivative is exact and not zero. That needs one optimum to be chosen among many: the least
    sum_k 2^-k s_k over the first 24 operations, then over the next 24, and so on (a positive, quickly
    decreasing weight on every start), which makes the starts unique for almost every p.

    Args:
        machines: per job the machines it visits, in order, from 0; none twice in a job.
        objective: f.
        weights: (jobs,) w, positive; default 1. earliness_weights: (jobs,) e, default w.
        due_dates: (jobs,) d, in units of the durations; needed by the last two objectives.
        ties: what happens where several schedules or paths are optimal (durations that are whole
            numbers, say). "perturb": sequence at p + tiny fixed noise (below the resolution at which
            p can differ), a start vector optimal at p and one of its generalised derivatives.
            "starts": choose by starts only; on a tie the derivative follows the first path.
            "any": the first optimum found, the fastest; its start times may jump between optima.
        waiting: what `realized_cost` adds for every unit of time that an operation starts after its
            planned start, because material, operator or truck are booked for it. Small: only the
            order matters; large: plans must be safe. None: nothing is booked, the order alone is
            kept and times are chosen anew, so that the cost is piecewise constant in the plan.

    Raises:
        InvalidInstanceError: malformed machines, weights or due dates. UnknownNameError.
    """

    default_oracle = "jobshop"
    is_binary = False
    has_program = False
    set_moves = True

    def __init__(
        self,
        machines: Sequence[Sequence[int]] | np.ndarray,
        objective: str = "makespan",
        *,
        weights: Values | None = None,
        due_dates: Values | None = None,
        earliness_weights: Values | None = None,
        ties: str = "perturb",
        waiting: float | None = None,
    ) -> None:
        if objective not in OBJECTIVES:
            raise UnknownNameError(f"Unknown objective {objective!r}; choose one of {', '.join(OBJECTIVES)}.")
        if ties not in TIES:
            raise UnknownNameError(f"Unknown ties {ties!r}; choose one of {', '.join(TIES)}.")
        self.machines = [_visits(j, visits) for j, visits in enumerate(machines)]
        if not self.machines:
            raise InvalidInstanceError("A job shop needs at least one job.")
        if waiting is not None and not 0 <= waiting < np.inf:
            raise InvalidInstanceError(f"waiting must be a number from 0 on, or None, got {waiting}.")
        self.criterion, self.ties, self.waiting = objective, ties, waiting
        self.num_jobs = len(self.machines)
        lengths = np.array([len(visits) for visits in self.machines])
        self.num_costs = int(lengths.sum())
        self.machine = np.concatenate(self.machines)
        self.job = np.repeat(np.arange(self.num_jobs), lengths)
        self.num_machines = int(self.machine.max()) + 1
        #: (jobs,) index of the first and the last operation of each job
        self.last = np.cumsum(lengths) - 1
        self.first = self.last - lengths + 1
        self.weights = self._per_job("weights", weights, 1.0)
        self.earliness_weights = self._per_job("earliness_weights", earliness_weights, self.weights)
        if objective in DATED and due_dates is None:
            raise InvalidInstanceError(f"objective={objective!r} needs due_dates, one per job.")
        self.due_dates = self._per_job("due_dates", due_dates, 0.0)
        if (self.weights <= 0).any() or (self.earliness_weights < 0).any():
            raise InvalidInstanceError("weights must be positive, earliness_weights not negative.")

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        objective: str = "makespan",
        *,
        weights: Values | None = None,
        due_dates: Values | None = None,
        earliness_weights: Values | None = None,
        ties: str = "perturb",
    ) -> JobShop:
        """An instance in the standard or in Taillard's format; `costs` are its durations."""
        read = read_jobshop(path)
        problem = cls(
            read.machines,
            objective,
            weights=weights,
            due_dates=due_dates,
            earliness_weights=earliness_weights,
            ties=ties,
        )
        problem.costs = torch.from_numpy(read.durations.reshape(-1))
        return problem

    @classmethod
    def random(
        cls,
        num_jobs: int,
        num_machines: int,
        objective: str = "makespan",
        *,
        generator: torch.Generator | None = None,
        seed: int | None = None,
        due_date_factor: float = 1.3,
        ties: str = "perturb",
        waiting: float | None = None,
    ) -> JobShop:
        """Taillard's scheme (1993): every job visits all machines in random order, p uniform in 1..99.

        Due dates, where the objective needs them, are `due_date_factor` x the length of the job:
        small is tight, large leaves slack. Weights are uniform in 1..9 for all but the makespan.
        A `seed` may stand for the generator.
        """
        if seed is not None:
            generator = torch.Generator().manual_seed(seed)
        num_jobs = whole_number(num_jobs, "num_jobs", 1)
        num_machines = whole_number(num_machines, "num_machines", 1)
        rows = [torch.randperm(num_machines, generator=generator) for _ in range(num_jobs)]
        durations = torch.randint(1, 100, (num_jobs, num_machines), generator=generator).double()
        weights = torch.randint(1, 10, (num_jobs,), generator=generator).double()
        problem = cls(
            torch.stack(rows).numpy(),
            objective,
            weights=None if objective == "makespan" else weights,
            due_dates=due_date_factor * durations.sum(1),
            ties=ties,
            waiting=waiting,
        )
        problem.costs = durations.reshape(-1)
        return problem

    # -- the feasible set ---------------------------------------------------------------------
    def is_feasible(self, z: Tensor, theta: Tensor | None = None) -> Tensor:
        """Start times (..., n) that respect jobs and machines at durations theta (default: `costs`)."""
        starts, p = torch.broadcast_tensors(z.double(), self._durations(theta).to(z.device).double())
        # relative to the work, so that it holds in any unit; starts far from 0 have fewer digits left
        rounding = 16 * torch.finfo(z.dtype).eps
        tolerance = (1e-9 + rounding) * p.sum(-1) + rounding * starts.abs().amax(-1)
        feasible = (starts >= -tolerance[..., None]).all(-1)
        by_end = torch.argsort(starts + p, dim=-1, stable=True)
        by_start = by_end.gather(-1, torch.argsort(starts.gather(-1, by_end), dim=-1, stable=True))
        machine = torch.as_tensor(self.machine, device=z.device)
        on_machine = by_start.gather(-1, torch.argsort(machine[by_start], dim=-1, stable=True))
        in_job = torch.arange(self.num_costs, device=z.device).expand_as(by_start)
        for group, order in ((torch.as_tensor(self.job, device=z.device), in_job), (machine, on_machine)):
            before, after = order[..., :-1], order[..., 1:]
            late = starts.gather(-1, before) + p.gather(-1, before) - starts.gather(-1, after)
            same = group[before] == group[after]
            feasible &= ((late <= tolerance[..., None]) | ~same).all(-1)
        return feasible

    def polytope(self) -> Program:
        raise UnsupportedError(
            "A job shop decides start times, which have no 0-1 polytope; rho, relaxed decisions and MIP"
            " oracles do not apply. Its exact decision has exact gradients: DecisionLayer(problem)."
        )

    # -- costs --------------------------------------------------------------------------------
    def random_costs(
        self, batch: int = 1, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
    ) -> Tensor:
        """Durations uniform in (1, 100); real-valued, so without ties."""
        return 1 + 99 * torch.rand(batch, self.num_costs, generator=generator, dtype=dtype)

    def check_costs(self, theta: Tensor) -> Tensor:
        super().check_costs(theta)
        if bool((theta < 0).any()):
            raise InvalidCostsError("Durations (costs) must not be negative; end the model in a softplus.")
        # what a plan costs that does one operation after the other
        work = theta.detach().double().reshape(-1, self.num_costs).sum(-1)
        dates = self.due_dates if self.criterion in DATED else np.zeros(1)
        longest = float(work.max()) + float(np.abs(dates).max()) if len(work) else 0.0
        heaviest = float(self.weights.max()) + float(self.earliness_weights.max())
        if not isfinite(heaviest * longest * self.num_jobs):
            raise InvalidCostsError(
                "Durations, due dates and weights are so large that the cost of a plan is no finite number;"
                " choose a larger unit of time or of weight."
            )
        return theta

    def cost_graph(self) -> CostGraph:
        """One edge an operation, from its job to its machine: nodes are jobs, then machines."""
        edges = np.stack([self.job, self.num_jobs + self.machine])
        return CostGraph(torch.from_numpy(edges), self.num_jobs + self.num_machines)

    def completions(self, z: Tensor, theta: Tensor) -> Tensor:
        """Ends of the jobs, (..., n) and (..., n) -> (..., jobs)."""
        last = torch.as_tensor(self.last, device=z.device)
        return z[..., last] + theta[..., last]

    def objective(self, z: Tensor, theta: Tensor) -> Tensor:
        """f of the start times z under durations theta, (..., n) and (..., n) -> (...)."""
        return self.cost_of_ends(self.completions(z, theta))

    def cost_of_ends(self, ends: Tensor) -> Tensor:
        """f of the jobs' ends (..., jobs) -> (...); differentiable.

        A job is on time when it ends within rounding of its due date, so that what can be on time costs 0.
        """
        if self.criterion == "makespan":
            return ends.amax(-1)
        w, d, e = (
            torch.as_tensor(v, device=ends.device, dtype=ends.dtype)
            for v in (self.weights, self.due_dates, self.earliness_weights)
        )
        if self.criterion == "completion":
            return (w * ends).sum(-1)
        late = ends - d
        rounding = 4 * torch.finfo(ends.dtype).eps * torch.maximum(ends.abs(), d.abs())
        late = torch.where(late.abs() <= rounding, 0.0, late)
        cost = w * late.clamp_min(0)
        if self.criterion == "earliness_tardiness":
            cost = cost + e * (-late).clamp_min(0)
        return cost.sum(-1)

    # -- schedules ------------------------------------------------------------------------------
    def timing(self, sequence: np.ndarray, durations: np.ndarray) -> Timing:
        """Optimal start times of a sequence (n,) at durations (n,) float64, and the tree behind them."""
        if self.criterion == "earliness_tardiness":
            dates = JobDates(self.due_dates, self.earliness_weights, self.weights)
            return just_in_time_timing(sequence, self.job, self.machine, durations, dates)
        nudge = tie_breaking_noise(self.num_costs) * (1e-9 * durations.max(initial=1e-300))
        return longest_path_timing(sequence, self.job, self.machine, durations, nudge)

    def timing_of(self, starts: np.ndarray, durations: np.ndarray) -> Timing:
        """The timing of the sequence that a schedule (n,) follows."""
        return self.timing(sequence_of(starts, durations), durations)

    def unit(self, durations: np.ndarray) -> float | None:
        """What all durations (n,), and due dates, are whole multiples of; None for real numbers.

        Only with a unit can schedules tie by construction.
        """
        if self.criterion not in DATED:
            return common_unit(durations)
        near = near_dates(self.due_dates, float(durations.sum()), self.criterion)
        return common_unit(np.concatenate([durations, near]))

    def remainder(self, decision: Tensor, theta: Tensor) -> ScheduleRemainder:
        """Start times (batch, n), optimal at durations theta (batch, n), as functions of theta."""
        return ScheduleRemainder(self, decision, theta)

    def value_gradient(self, z: Tensor, theta: Tensor) -> Tensor:
        """dV/dp of optimal schedules z (..., n): 1 on the critical path for the makespan.

        In general the multipliers of the start-time program. On ties one generalised gradient, see `ties`.
        """
        starts = z.detach().reshape(-1, self.num_costs).cpu().double().numpy()
        durations = theta.detach().reshape(-1, self.num_costs).cpu().double().numpy()
        grads = np.empty_like(durations)
        for row, s, p in zip(grads, starts, durations, strict=True):
            row[:] = value_gradient(self, s, p)
        return torch.from_numpy(grads).to(theta.device, theta.dtype).reshape(theta.shape)

    # -- what a plan costs when other durations occur ------------------------------------------
    def execute(self, plan: Tensor, durations: Tensor) -> Tensor:
        """Start times (..., n) of a plan (..., n) under the durations (..., n) that occur.

        The plan's order on every machine is kept. Without `waiting`, times are chosen anew for that
        order (`retimed_starts`; integer plans are sequences). With it, nothing starts before it was
        planned (`executed_starts`).
        """
        if self.waiting is None:
            return retimed_starts(self, plan, durations)
        rows = torch.broadcast_tensors(plan, durations)
        z, p = (t.reshape(-1, self.num_costs) for t in rows)
        return executed_starts(self, z, p).reshape(rows[0].shape)

    def realized_cost(self, decision: Tensor, theta: Tensor) -> Tensor:
        """f of the executed plan, plus `waiting` per unit of time and operation between plan and start."""
        starts = self.execute(decision, theta)
        cost = self.objective(starts, theta)
        return cost if self.waiting is None else cost + self.waiting * (starts - decision).sum(-1)

    def _durations(self, theta: Tensor | None) -> Tensor:
        if theta is None:
            theta = self.costs
        if theta is None:
            raise InvalidCostsError("Whether start times are feasible depends on the durations; pass theta.")
        return theta

    def _per_job(self, name: str, values: Values | None, default: float | np.ndarray) -> np.ndarray:
        given = default if values is None else real_numbers(values, name)
        if values is not None and np.shape(given) != (self.num_jobs,):
            raise InvalidInstanceError(
                f"{name} must have one entry for each of the {self.num_jobs} jobs,"
                f" got shape {np.shape(given)}."
            )
        array = np.broadcast_to(given, (self.num_jobs,)).astype(np.float64)
        if not np.isfinite(array).all():
            raise InvalidInstanceError(f"{name} must be finite.")
        return array


def _visits(job: int, machines: Sequence[int] | np.ndarray) -> np.ndarray:
    visits = whole_numbers(machines, f"Machines of job {job}")
    if visits.ndim != 1 or not len(visits):
        raise InvalidInstanceError(f"Job {job} must list the machines it visits as whole numbers.")
    if visits.min() < 0:
        raise InvalidInstanceError(f"Job {job} visits machine {visits.min()}; machines count from 0.")
    if len(np.unique(visits)) < len(visits):
        raise InvalidInstanceError(
            f"Job {job} visits a machine twice, which is not supported; split it into two jobs."
        )
    return visits
