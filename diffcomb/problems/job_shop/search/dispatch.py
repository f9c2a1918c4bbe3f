"""Start schedules for job shops: priority dispatching, compiled."""

from __future__ import annotations

import numpy as np

from diffcomb.compiled import compiled


@compiled
def dispatch(
    job: np.ndarray,
    machine: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    p: np.ndarray,
    priority: np.ndarray,
) -> np.ndarray:
    """Active schedule of Giffler & Thompson (1960): conflicts go to the largest priority.

    Args:
        job, machine: (n,). first, last: (jobs,). p: (n,) int64. priority: (n,) float64.

    Returns:
        (n,) int64, the operations in the order they were scheduled: a sequence.
    """
    n, num_jobs = len(job), len(first)
    sequence = np.empty(n, np.int64)
    following = first.copy()
    job_ready = np.zeros(num_jobs, np.int64)
    machine_ready = np.zeros(machine.max() + 1, np.int64)
    for k in range(n):
        # the operation that could end first names the machine; those that would start before its end
        # compete for it
        end, bottleneck = np.int64(2**62), -1
        for j in range(num_jobs):
            i = following[j]
            if i <= last[j]:
                e = max(job_ready[j], machine_ready[machine[i]]) + p[i]
                if e < end:
                    end, bottleneck = e, machine[i]
        chosen = -1
        for j in range(num_jobs):
            i = following[j]
            if i <= last[j] and machine[i] == bottleneck:
                start = max(job_ready[j], machine_ready[bottleneck])
                eligible = start < end or start + p[i] == end  # the latter: durations of 0
                if eligible and (chosen < 0 or priority[i] > priority[chosen]):
                    chosen = i
        j = job[chosen]
        job_ready[j] = machine_ready[bottleneck] = max(job_ready[j], machine_ready[bottleneck]) + p[chosen]
        following[j] += 1
        sequence[k] = chosen
    return sequence
