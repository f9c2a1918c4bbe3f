"""Start times of a fixed sequence under earliness and tardiness costs: a convex program and its KKT tree."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from diffcomb.errors import SolveFailedError
from diffcomb.problems.job_shop.timing import AFTER, AT_DUE_DATE, AT_RELEASE, BEFORE, Timing


def just_in_time_timing(
    sequence: np.ndarray,
    job: np.ndarray,
    machine: np.ndarray,
    durations: np.ndarray,
    due_dates: np.ndarray,
    earliness: np.ndarray,
    tardiness: np.ndarray,
) -> Timing:
    """The least minimiser of sum_j a_j (d_j - C_j)^+ + b_j (C_j - d_j)^+ over starts of this sequence.

    The program is the dual of a minimum-cost flow. Its multipliers say which constraints are tight on
    the whole optimal face; the face is then a system of difference constraints, which has a least
    element, found by longest paths from the tight bounds. Each start is the end of a chain of tight
    constraints from time 0 or from a due date, so the KKT system is a tree (one for almost all p).
    """
    n, num_jobs = len(sequence), len(due_dates)
    tails, heads = _arcs(sequence, job, machine)
    last = np.zeros(num_jobs, np.int64)
    last[job[sequence]] = sequence  # the last assignment of a job wins: its last operation
    # variables s (n), E (J), T (J);  s_u - s_v <= -p_u;  -E - C_j <= -d_j;  C_j - T <= d_j
    m, scale = len(tails), max(durations.sum(), np.abs(due_dates).max(), 1e-300)
    rows, jobs = np.arange(m), np.arange(num_jobs)
    entries = [
        (rows, tails, 1.0),
        (rows, heads, -1.0),
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
    free = (due_dates - durations[last]) / scale
    upper = np.concatenate([-durations[tails] / scale, -free, free])
    cost = np.concatenate([np.zeros(n), earliness, tardiness])
    solved = linprog(cost, matrix, upper, bounds=(0, None), method="highs-ds")
    if solved.status != 0:
        raise SolveFailedError(f"The start-time program of the sequence failed: {solved.message}")
    multipliers = -solved.ineqlin.marginals
    eps = 1e-9 * max(float(cost.max()), 1e-300)
    tight = multipliers[:m] > eps
    early = multipliers[m : m + num_jobs] - eps > 0  # pushes the end of the job up to its due date
    late = multipliers[m + num_jobs :] - eps > 0
    # 0 < multiplier < weight: the job ends at its due date on the whole face. At its weight it may lie
    # on the costly side; at 0 it may lie on the free side.
    not_late = multipliers[m + num_jobs :] < tardiness - eps  # T_j = 0, C_j <= d_j
    not_early = multipliers[m : m + num_jobs] < earliness - eps  # E_j = 0, C_j >= d_j
    at_least = not_early | late
    at_most = not_late | early
    return _least(sequence, durations, tails, heads, tight, due_dates, last, at_least, at_most)


def _arcs(sequence: np.ndarray, job: np.ndarray, machine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """tails, heads of the precedence arcs between neighbours in a job or on a machine."""
    pairs = []
    for key in (job, machine):
        grouped = sequence[np.argsort(key[sequence], kind="stable")]
        neighbours = key[grouped[:-1]] == key[grouped[1:]]
        pairs.append((grouped[:-1][neighbours], grouped[1:][neighbours]))
    return np.concatenate([t for t, _ in pairs]), np.concatenate([h for _, h in pairs])


def _least(
    sequence: np.ndarray,
    p: np.ndarray,
    tails: np.ndarray,
    heads: np.ndarray,
    tight: np.ndarray,
    due_dates: np.ndarray,
    last: np.ndarray,
    at_least: np.ndarray,
    at_most: np.ndarray,
) -> Timing:
    """Longest paths to the least point of the face, with the tree that attains them."""
    n = len(sequence)
    tolerance = 1e-10 * (p.sum() + np.abs(due_dates).max())
    starts, parent, kind = np.zeros(n), np.full(n, -1, np.int64), np.full(n, AT_RELEASE, np.int64)
    for j, i in enumerate(last):
        if at_least[j] and due_dates[j] - p[i] > starts[i]:
            starts[i], kind[i] = due_dates[j] - p[i], AT_DUE_DATE
    position = np.empty(n, np.int64)
    position[sequence] = np.arange(n)
    forward = np.argsort(position[heads], kind="stable")
    backward = np.flatnonzero(tight)[np.argsort(-position[tails[tight]], kind="stable")]
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
    order = _parents_first(parent)
    for i in order:  # re-evaluate along the tree: no tolerance is left in the starts
        if kind[i] == AFTER:
            starts[i] = starts[parent[i]] + p[parent[i]]
        elif kind[i] == BEFORE:
            starts[i] = starts[parent[i]] - p[i]
    on_arc = np.abs(starts[tails] + p[tails] - starts[heads]) <= 10 * tolerance
    ends = starts[last] + p[last]
    on_date = (np.abs(ends - due_dates) <= 10 * tolerance).sum()
    at_zero = (starts <= 10 * tolerance).sum()
    # n tight constraints fix n starts; one more is another tree
    tied = bool(on_arc.sum() + on_date + at_zero > n) or bool((ends > due_dates + tolerance)[at_most].any())
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
