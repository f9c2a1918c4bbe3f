"""Real durations on the integer grid that exact scheduling needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffcomb.problems.job_shop.due_dates import DATED, near_dates
from diffcomb.problems.job_shop.job_shop import JobShop
from diffcomb.problems.job_shop.timing import tie_breaking_noise
from diffcomb.problems.job_shop.units import common_unit as unit_of

#: horizon of the fine grid: real durations are rounded to 2^-32 of their sum
_FINE = 2.0**32
#: largest objective that CP-SAT may have to hold
_LARGEST = 2.0**60
#: real weights are rounded to so many parts of the largest, if the objective has room for it
_WEIGHTS = 2.0**24
#: part of a weight that rounding may change where a proof on the grid counts as one
_KEPT = 2.0**-10


@dataclass(frozen=True)
class Grid:
    """q = round(p * per_unit) + noise, whole numbers; due dates (near ones, see `near_dates`) alike.

    Attributes:
        durations (n,), due_dates (jobs,), weights (jobs,), earliness (jobs,): int64.
        per_unit: grid points per unit of duration. weight_scale: of the weights.
        constant: what every schedule costs for due dates before 0, in units of p.
        error: largest error of one duration, in units of p; 0 on an exact grid.
        weight_error: largest error of a weight on the grid, in units of the weights.
        keeps_weights: no weight is lost beside a far larger one.
    """

    durations: np.ndarray
    due_dates: np.ndarray
    weights: np.ndarray
    earliness: np.ndarray
    per_unit: float
    weight_scale: float
    constant: float
    error: float
    weight_error: float
    keeps_weights: bool

    def value(self, objective: float) -> float:
        """An objective on the grid in units of p."""
        return objective / (self.per_unit * self.weight_scale) + self.constant


def common_unit(problem: JobShop, p: np.ndarray) -> float | None:
    """`JobShop.unit`."""
    return problem.unit(p)


def common_grid(problem: JobShop, p: np.ndarray) -> Grid | None:
    """The exact grid of durations with a common unit; None for real-valued ones, or too many units."""
    unit = problem.unit(p)
    if unit is None or _horizon(problem, p) > _FINE * unit:
        return None
    return _grid(problem, p, 1.0 / unit, np.zeros(len(p)), 0.0)


def fine_grid(problem: JobShop, p: np.ndarray, *, noise: bool) -> Grid:
    """For real durations: rounding and noise move each by less than 2^-29 of their sum."""
    per_unit = _FINE / _horizon(problem, p)
    added = np.floor(4 * tie_breaking_noise(len(p))) if noise else np.zeros(len(p))
    return _grid(problem, p, per_unit, added, (3.5 if noise else 0.5) / per_unit)


def perturbed_grid(problem: JobShop, p: np.ndarray, exact: Grid) -> Grid:
    """An exact grid refined, with noise that in no sum over a schedule reaches one step of the old grid.

    An optimum here is therefore an optimum there.
    """
    n = len(p)
    refinement = max(2.0, np.floor(_FINE / (_horizon(problem, p) * exact.per_unit)))
    added = np.floor(tie_breaking_noise(n) * refinement / (2 * n * max(1, int(exact.weights.sum()))))
    if problem.criterion == "makespan":
        added = np.floor(tie_breaking_noise(n) * refinement / (2 * n))
    return _grid(problem, p, exact.per_unit * refinement, added, float(added.max()) / exact.per_unit)


def _horizon(problem: JobShop, p: np.ndarray) -> float:
    work = float(p.sum())
    return max(work + float(near_dates(problem.due_dates, work, problem.criterion).max()), 1e-290)


def _grid(problem: JobShop, p: np.ndarray, per_unit: float, noise: np.ndarray, error: float) -> Grid:
    def integers(values: np.ndarray, scale: float) -> np.ndarray:
        return np.round(values * scale).astype(np.int64)

    weights, earliness = problem.weights, problem.earliness_weights
    if problem.criterion != "earliness_tardiness":
        earliness = np.zeros_like(earliness)
    both = np.concatenate([weights, earliness])
    # every end may be off by the whole horizon
    room = _LARGEST / (2 * _horizon(problem, p) * per_unit * problem.num_jobs)
    unit = _unit_of_weights(both)
    exact = unit is not None and both.max() <= room * unit
    scale = 1.0 / unit if exact and unit is not None else min(_WEIGHTS, room) / both.max()
    lost = np.zeros_like(both) if exact else np.abs(np.round(both * scale) / scale - both)
    late_anyway = np.maximum(-problem.due_dates, 0.0) if problem.criterion in DATED else 0 * weights
    return Grid(
        integers(p, per_unit) + noise.astype(np.int64),
        integers(near_dates(problem.due_dates, float(p.sum()), problem.criterion), per_unit),
        integers(weights, scale),
        integers(earliness, scale),
        per_unit,
        scale,
        float(weights @ late_anyway),
        error,
        float(lost.max()),
        bool((lost <= _KEPT * both).all()),
    )


def _unit_of_weights(weights: np.ndarray) -> float | None:
    """Their common unit; whole numbers have one however far apart they are."""
    if weights.max() < 2.0**53 and np.array_equal(weights, np.rint(weights)):
        return float(np.gcd.reduce(weights.astype(np.int64)))
    return unit_of(weights)
