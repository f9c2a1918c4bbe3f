"""Start times of a fixed sequence under earliness and tardiness costs: a convex program and its KKT tree."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from diffcomb.errors import SolveFailedError
from diffcomb.problems.job_shop.due_dates import near_dates
from diffcomb.problems.job_shop.timing import AFTER, AT_DUE_DATE, AT_RELEASE, BEFORE, Timing


class JobDates(NamedTuple):
    """(jobs,) float64 each: due dates, cost per unit of time before and after them."""

    due: np.ndarray
    earliness: np.ndarray
    tardiness: np.ndarray


class _Arcs(NamedTuple):
    """s_head >= s_tail + p_tail, (arcs,) int64 each."""

    tails: np.ndarray
    heads: np.ndarray


class _Face(NamedTuple):
    """What holds on the whole optimal face.

    Attributes:
        tight: (arcs,) bool, arcs that hold with equality.
        at_least, at_most: (jobs,) bool, jobs that end no sooner, no later than due.
    """

    tight: np.ndarray
    at_least: np.ndarray
    at_most: np.ndarray


def just_in_time_timing(
    sequence: np.ndarray, job: np.ndarray, machine: np.ndarray, durations: np.ndarray, dates: JobDates
) -> Timing:
    """The least minimiser of sum_j a_j (d_j - C_j)^+ + b_j (C_j - d_j)^+ over starts of this sequence.

    The program is the dual of a minimum-cost flow. Its multipliers say which constraints are tight on
    the whole optimal face; the face is then a system of difference constraints, which has a least
    element, found by longest paths from the tight bounds. Each start is the end of a chain of tight
    constraints from time 0 or from a due date, so the KKT system is a tree (one for almost all p).
    Times are those of `near_dates`, which the tree then turns into times as given.
    """
    arcs = _precedences(sequence, job, machine)
    last = np.zeros(len(dates.due), np.int64)
    last[job[sequence]] = sequence  # the last assignment of a job wins: its last operation
    near = near_dates(dates.due, float(durations.sum()), "earliness_tardiness")
    face = _optimal_face(durations, dates._replace(due=near), arcs, last)
    return _least(sequence, durations, arcs, face, (near, dates.due, last))


def _optimal_face(durations: np.ndarray, dates: JobDates, arcs: _Arcs, last: np.ndarray) -> _Face:
    """By the dual simplex method, in units that the solver's tolerances fit."""
    n, num_jobs, m = len(durations), len(last), len(arcs.tails)
    # variables s (n), E (J), T (J);  s_u - s_v <= -p_u;  -E - C_j <= -d_j;  C_j - T <= d_j
    scale = max(durations.sum(), dates.due.max(), 1e-300)
    rows, jobs = np.arange(m), np.arange(num_jobs)
    entries = [
        (rows, arcs.tails, 1.0),
        (rows, arcs.heads, -1.0),
        (m + jobs, last, -1.0),
        (m + jobs, n + jobs, -1.0),
        (m + num_jobs + jobs, last, 1.0),
        (m + num_jobs + jobs, n + num_jobs + jobs, -1.0),
    ]
    matrix = sparse.csr_array(
        (
            np.concatenate([np.full(len(r), v) for r, _, v in entries]),
            (np.concatenate([r for r, _, _ in entries]), np.concatenate([c for _, c, _ in entries])),
        ),
        shape=(m + 2 * num_jobs, n + 2 * num_jobs),
    )
    free = (dates.due - durations[last]) / scale
    upper = np.concatenate([-durations[arcs.tails] / scale, -free, free])
    weights = np.concatenate([dates.earliness, dates.tardiness])
    used = weights[weights > 0]
    # multipliers are sums of weights: all between the least and the largest matter
    unit = float(np.sqrt(used.min()) * np.sqrt(used.max()))
    earliness, tardiness = dates.earliness / unit, dates.tardiness / unit
    cost = np.concatenate([np.zeros(n), earliness, tardiness])
    fine = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-10}
    solved = linprog(cost, matrix, upper, bounds=(0, None), method="highs-ds", options=fine)
    if solved.status != 0:
        raise SolveFailedError(f"The start-time program of the sequence failed: {solved.message}")
    multipliers = -solved.ineqlin.marginals
    eps = 1e-6 * float(cost[cost > 0].min())
    early, late = multipliers[m : m + num_jobs], multipliers[m + num_jobs :]
    # 0 < multiplier < weight: the job ends at its due date on the whole face. At its weight it may lie
    # on the costly side; at 0 it may lie on the free side.
    not_late = late < tardiness - eps  # T_j = 0, C_j <= d_j
    not_early = early < earliness - eps  # E_j = 0, C_j >= d_j
    return _Face(multipliers[:m] > eps, not_early | (late > eps), not_late | (early > eps))


def _precedences(sequence: np.ndarray, job: np.ndarray, machine: np.ndarray) -> _Arcs:
    """Arcs between neighbours in a job or on a machine."""
    pairs = []
    for key in (job, machine):
        grouped = sequence[np.argsort(key[sequence], kind="stable")]
        neighbours = key[grouped[:-1]] == key[grouped[1:]]
        pairs.append((grouped[:-1][neighbours], grouped[1:][neighbours]))
    return _Arcs(np.concatenate([t for t, _ in pairs]), np.concatenate([h for _, h in pairs]))


def _least(
    sequence: np.ndarray,
    p: np.ndarray,
    arcs: _Arcs,
    face: _Face,
    dates: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> Timing:
    """Longest paths to the least point of the face, with the tree that attains them.

    Args:
        dates: near and given due dates, and the last operation of each job, (jobs,) each.
    """
    n, (tails, heads), (near, given, last) = len(sequence), arcs, dates
    tolerance = 1e-10 * (p.sum() + near.max())
    starts, parent, kind = np.zeros(n), np.full(n, -1, np.int64), np.full(n, AT_RELEASE, np.int64)
    due = np.zeros(n)
    due[last] = given
    for j, i in enumerate(last):
        if face.at_least[j] and near[j] - p[i] > starts[i]:
            starts[i], kind[i] = near[j] - p[i], AT_DUE_DATE
    position = np.empty(n, np.int64)
    position[sequence] = np.arange(n)
    forward = np.argsort(position[heads], kind="stable")
    backward = np.flatnonzero(face.tight)[np.argsort(-position[tails[face.tight]], kind="stable")]
    for _ in range(2 * n + 2):
        before = starts.copy()
        for k in forward:
            u, v = tails[k], heads[k]
            if starts[u] + p[u] > starts[v] + tolerance:
                starts[v], parent[v], kind[v] = starts[u] + p[u], u, AFTER
        for k in backward:
            u, v = tails[k], heads[k]
            if starts[v] - p[u] > starts[u] + tolerance:
                starts[u], parent[u], kind[u] = starts[v] - p[u], v, BEFORE
        if np.array_equal(before, starts):
            break
    on_arc = np.abs(starts[tails] + p[tails] - starts[heads]) <= 10 * tolerance
    ends = starts[last] + p[last]
    on_date = (np.abs(ends - near) <= 10 * tolerance).sum()
    at_zero = (starts <= 10 * tolerance).sum()
    # n tight constraints fix n starts; one more is another tree
    tied = bool(on_arc.sum() + on_date + at_zero > n)
    tied |= bool((ends > near + tolerance)[face.at_most].any())
    order = _parents_first(parent)
    for i in order:  # re-evaluate along the tree: no tolerance is left in the starts
        if kind[i] == AFTER:
            starts[i] = starts[parent[i]] + p[parent[i]]
        elif kind[i] == BEFORE:
            starts[i] = starts[parent[i]] - p[i]
        elif kind[i] == AT_DUE_DATE:
            starts[i] = due[i] - p[i]
    return Timing(starts, order, parent, kind, tied)


def _parents_first(parent: np.ndarray) -> np.ndarray:
    children: list[list[int]] = [[] for _ in parent]
    for i, above in enumerate(parent):
        if above >= 0:
            children[above].append(i)
    order = [i for i, above in enumerate(parent) if above < 0]
    for i in order:
        order.extend(children[i])
    return np.array(order, np.int64)
