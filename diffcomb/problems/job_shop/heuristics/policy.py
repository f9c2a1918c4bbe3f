"""Job shops by a learned dispatching policy: DIMES's REINFORCE search over operation priorities."""

from __future__ import annotations

import time

import numpy as np

from diffcomb.compiled import compiled
from diffcomb.oracles import Limits, OracleAnswer, Status
from diffcomb.oracles.batch import Solved, solve_each
from diffcomb.oracles.interruption import check_interrupt
from diffcomb.problems.job_shop.job_shop import JobShop
from diffcomb.problems.job_shop.timing import earliest_starts
from diffcomb.problems.problem import Problem


@compiled
def sample_sequences(
    theta: np.ndarray, job: np.ndarray, first: np.ndarray, last: np.ndarray, uniform: np.ndarray
) -> np.ndarray:
    """Sequences of q: the next operation is drawn from softmax(theta) over the next ones of all jobs.

    Args:
        theta: (n,) float64. job: (n,), first, last: (jobs,). uniform: (K, n) in [0, 1), the draws.

    Returns:
        (K, n) int64.
    """
    count, n = uniform.shape
    weights = np.exp(theta - theta.max())
    sequences = np.empty((count, n), np.int64)
    for k in range(count):
        following = first.copy()
        for position in range(n):
            total = 0.0
            for j in range(len(first)):
                if following[j] <= last[j]:
                    total += weights[following[j]]
            u, chosen = uniform[k, position] * total, -1
            for j in range(len(first)):
                if following[j] <= last[j]:
                    chosen = following[j]
                    u -= weights[chosen]
                    if u < 0.0:
                        break
            sequences[k, position] = chosen
            following[job[chosen]] += 1
    return sequences


@compiled
def sequence_score(
    theta: np.ndarray,
    job: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    sequences: np.ndarray,
    weight: np.ndarray,
) -> np.ndarray:
    """sum_k weight_k grad log q(sequence_k), (n,)."""
    weights = np.exp(theta - theta.max())
    out = np.zeros_like(theta)
    for k in range(len(sequences)):
        following = first.copy()
        for chosen in sequences[k]:
            total = 0.0
            for j in range(len(first)):
                if following[j] <= last[j]:
                    total += weights[following[j]]
            for j in range(len(first)):
                if following[j] <= last[j]:
                    out[following[j]] -= weight[k] * weights[following[j]] / total
            out[chosen] += weight[k]
            following[job[chosen]] += 1
    return out


class PriorityPolicy:
    """min E_q[f(schedule)] over priorities theta of one instance, by REINFORCE. A heuristic.

    The priority variant of DIMES (Qiu, Sun & Yang 2022, arXiv:2210.04123): theta starts at the work
    remaining in the job, q draws semi-active schedules, Adam follows the score-function gradient with
    a leave-one-out baseline; the best schedule drawn is returned. No bound, no proof.

    Args:
        steps, rate: of Adam. num_samples: K, at least 2; more: less noise, slower.
        sharpness: of the start: theta = sharpness x work remaining / mean work of a job.
    """

    name = "priority_policy"
    exact = False

    def __init__(
        self, steps: int = 500, num_samples: int = 64, rate: float = 0.1, sharpness: float = 5.0
    ) -> None:
        self.steps, self.num_samples, self.rate, self.sharpness = steps, num_samples, rate, sharpness

    def supports(self, problem: Problem) -> bool:
        return isinstance(problem, JobShop)

    def solve(self, problem: Problem, costs: np.ndarray, options: Limits) -> OracleAnswer:
        assert isinstance(problem, JobShop)
        return solve_each(lambda p: self._solve_one(problem, p, options), costs, options)

    def _solve_one(self, problem: JobShop, p: np.ndarray, options: Limits) -> Solved:
        rng = np.random.default_rng(options.seed)
        stop = np.inf if options.time_limit is None else time.perf_counter() + options.time_limit
        total = np.cumsum(p)
        remaining = total[problem.last][problem.job] - total + p
        theta = self.sharpness * remaining / max(p.sum() / problem.num_jobs, 1e-300)
        mean, square = np.zeros_like(theta), np.zeros_like(theta)
        best, lowest = np.zeros(0, np.int64), np.inf
        for step in range(1, self.steps + 1):
            check_interrupt()
            if len(best) and time.perf_counter() >= stop:
                break
            uniform = rng.random((self.num_samples, len(p)))
            drawn = sample_sequences(theta, problem.job, problem.first, problem.last, uniform)
            values = np.array([_value(problem, sequence, p) for sequence in drawn])
            if values.min() < lowest:
                best, lowest = drawn[values.argmin()], values.min()
            weight = (values - values.mean()) / (values.std() or 1.0) / (self.num_samples - 1)
            gradient = sequence_score(theta, problem.job, problem.first, problem.last, drawn, weight)
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            scale = np.sqrt(square / (1 - 0.999**step)) + 1e-12
            theta = theta - self.rate * mean / (1 - 0.9**step) / scale
        return Solved(problem.timing(best, p).starts, -np.inf, Status.HEURISTIC)


def _value(problem: JobShop, sequence: np.ndarray, p: np.ndarray) -> float:
    starts = earliest_starts(sequence, problem.job, problem.machine, p, np.zeros(len(p)))[0]
    ends = (starts + p)[problem.last]
    if problem.criterion == "makespan":
        return float(ends.max())
    if problem.criterion == "completion":
        return float(problem.weights @ ends)
    late = problem.weights @ np.maximum(ends - problem.due_dates, 0)
    if problem.criterion == "earliness_tardiness":
        late += problem.earliness_weights @ np.maximum(problem.due_dates - ends, 0)
    return float(late)
