"""What execution and derivatives read of a job shop, which is built on them; `JobShop` has it all."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from torch import Tensor

from diffcomb.problems.job_shop.timing import Timing


class Shop(Protocol):
    """Operations are numbered job by job.

    Attributes:
        job, machine: (n,) int64. first, last: (jobs,) int64, operations.
        weights, earliness_weights, due_dates: (jobs,) float64.
    """

    criterion: str
    num_costs: int
    num_jobs: int
    num_machines: int
    job: np.ndarray
    machine: np.ndarray
    first: np.ndarray
    last: np.ndarray
    weights: np.ndarray
    earliness_weights: np.ndarray
    due_dates: np.ndarray

    def check_costs(self, theta: Tensor) -> Tensor: ...

    def objective(self, z: Tensor, theta: Tensor) -> Tensor: ...

    def timing(self, sequence: np.ndarray, durations: np.ndarray) -> Timing: ...

    def timing_of(self, starts: np.ndarray, durations: np.ndarray) -> Timing: ...

    def unit(self, durations: np.ndarray) -> float | None: ...
