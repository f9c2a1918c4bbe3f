"""From machine sequences to start times, and back from their gradient to durations: two linear passes.

A *sequence* is an order of all operations (n,), in which each comes after its predecessors in its job
and on its machine; it fixes the order on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffcomb.compiled import compiled

#: how the start of an operation is fixed
AT_RELEASE, AFTER, BEFORE, AT_DUE_DATE = 0, 1, 2, 3


@compiled
def earliest_starts(
    sequence: np.ndarray, job: np.ndarray, machine: np.ndarray, durations: np.ndarray, release: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """s_i = max(release_i, end of the job predecessor, end of the machine predecessor).

    Args:
        sequence: (n,) int64. job, machine: (n,) int64. durations, release: (n,) float64.

    Returns:
        starts (n,); parent (n,), the predecessor that attains the maximum, -1 for the release; slack
        (n,), by how much the runner-up misses it: 0 is a tie.
    """
    n = len(sequence)
    starts = np.zeros(n)
    parent = np.full(n, -1, np.int64)
    slack = np.full(n, np.inf)
    last_of_job = np.full(job.max() + 1, -1, np.int64)
    last_on_machine = np.full(machine.max() + 1, -1, np.int64)
    for i in sequence:
        best, second, source = release[i], -np.inf, -1
        for before in (last_of_job[job[i]], last_on_machine[machine[i]]):
            if before >= 0:
                end = starts[before] + durations[before]
                if end > best:
                    best, second, source = end, best, before
                elif end > second:
                    second = end
        starts[i], parent[i], slack[i] = best, source, best - second
        last_of_job[job[i]] = i
        last_on_machine[machine[i]] = i
    return starts, parent, slack


@compiled
def tree_adjoint(
    order: np.ndarray, parent: np.ndarray, kind: np.ndarray, grad: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(d/d durations, d/d roots) of grad's, s being fixed along a tree; parents precede in `order`.

    AFTER: s_i = s_parent + p_parent. BEFORE: s_i = s_parent - p_i. AT_DUE_DATE: s_i = d - p_i.
    """
    flow = grad.copy()
    out = np.zeros_like(grad)
    for k in range(len(order) - 1, -1, -1):
        i = order[k]
        if kind[i] == 1:
            out[parent[i]] += flow[i]
        elif kind[i] != 0:
            out[i] -= flow[i]
        if parent[i] >= 0:
            flow[parent[i]] += flow[i]
            flow[i] = 0.0
    return out, flow


@dataclass(frozen=True)
class Timing:
    """Start times of one schedule and the tree of tight constraints that fixes them.

    Attributes:
        starts: (n,) float64.
        order, parent, kind: (n,) int64, the tree; see `tree_adjoint`.
        tied: another tree fixes the same starts, so their derivative is one of several.
    """

    starts: np.ndarray
    order: np.ndarray
    parent: np.ndarray
    kind: np.ndarray
    tied: bool

    def adjoint(self, grad: np.ndarray) -> np.ndarray:
        """(ds/dp)' grad, (n,) -> (n,): each operation collects the gradient of those it pushes."""
        return tree_adjoint(self.order, self.parent, self.kind, grad)[0]


def sequence_of(starts: np.ndarray, durations: np.ndarray) -> np.ndarray:
    """Operations by start, then by end, then by index: a sequence, operations of duration 0 included."""
    return np.lexsort((np.arange(len(starts)), starts + durations, starts))


def longest_path_timing(
    sequence: np.ndarray, job: np.ndarray, machine: np.ndarray, durations: np.ndarray, nudge: np.ndarray
) -> Timing:
    """Earliest starts at `durations`; among tied predecessors the tree takes the one at durations + nudge."""
    release = np.zeros_like(durations)
    starts, parent, slack = earliest_starts(sequence, job, machine, durations, release)
    tied = bool((slack <= 1e-9 * (starts.max() + durations.max())).any())
    if tied:
        parent = earliest_starts(sequence, job, machine, durations + nudge, release)[1]
    return Timing(starts, sequence, parent, (parent >= 0).astype(np.int64), tied)


def tie_breaking_noise(n: int) -> np.ndarray:
    """Fixed noise in (0, 1), one number an operation: the same direction in sequencing and derivatives."""
    return np.random.default_rng(20260 + n).uniform(0.0, 1.0, n)
