"""Due dates that numbers of the size of the durations can tell apart."""

from __future__ import annotations

import numpy as np

#: objectives that have due dates
DATED = ("tardiness", "earliness_tardiness")


def near_dates(due_dates: np.ndarray, work: float, criterion: str) -> np.ndarray:
    """Due dates (jobs,) from 0 on for which the same schedules are best, the plan moved in time.

    `work` is the sum of all durations. Some best schedule ends by `work` where costs grow with every end,
    so dates beyond it are as good as `work`, and jobs due before 0 pay for that whatever is done: their
    date is 0 and their costs less by a constant. Under earliness every operation of some best schedule
    lies within `work` of time 0 or of a due date; of a longer gap between dates 2 `work` are left, in
    which nothing happens. (Seconds since 1970 become seconds since shortly before the first job.)
    """
    if criterion not in DATED:
        return np.zeros_like(due_dates)
    dates = np.maximum(due_dates, 0.0)
    if criterion == "tardiness":
        return np.minimum(dates, work)
    order = np.argsort(dates, kind="stable")
    gaps = np.diff(dates[order], prepend=0.0)
    longest = 2.0 * work
    if work == 0.0 or not (gaps > longest).any():
        return dates
    near = np.empty_like(dates)
    # the dates after a long gap move together, so that their differences stay what they are
    moved = np.cumsum(np.maximum(gaps - longest, 0.0))
    near[order] = dates[order] - moved
    return near
