"""Real durations on the integer grid that exact scheduling needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffcomb.problems.job_shop.job_shop import JobShop, tie_breaking_noise

#: horizon of the fine grid: real durations are rounded to 2^-32 of their sum
_FINE = 2.0**32
#: largest objective that CP-SAT may have to hold
_LARGEST = 2.0**60


@dataclass(frozen=True)
class Grid:
    """q = round(p * per_unit) + noise, whole numbers; due dates and weights alike.

    Attributes:
        durations (n,), due_dates (jobs,), weights (jobs,), earliness (jobs,): int64.
        per_unit: grid points per unit of duration. weight_scale: of the weights.
        error: largest error of one duration, in units of p; 0 on an exact grid.
    """

    durations: np.ndarray
    due_dates: np.ndarray
    weights: np.ndarray
    earliness: np.ndarray
    per_unit: float
    weight_scale: float
    error: float

    def value(self, objective: float) -> float:
        """An objective on the grid in units of p."""
        return objective / (self.per_unit * self.weight_scale)


def common_grid(problem: JobShop, p: np.ndarray) -> Grid | None:
    """The exact grid of durations with a common unit; None for real-valued ones."""
    unit = common_unit(problem, p)
    return None if unit is None else _grid(problem, p, 1.0 / unit, np.zeros(len(p)), 0.0)


def common_unit(problem: JobShop, p: np.ndarray) -> float | None:
    """What all durations (and due dates) are whole multiples of: 1, 1/2, 1/4, a power of ten or the
    smallest duration; None for real-valued ones. Only with a unit can schedules tie by construction.
    """
    dated = problem.criterion in ("tardiness", "earliness_tardiness")
    values = np.concatenate([p, problem.due_dates]) if dated else p
    positive = p[p > 0]
    if not len(positive):
        return 1.0
    units = np.array([positive.min(), 1.0, 0.5, 0.25, 0.1, 0.01, 0.001])
    units = units[_are_multiples(values[:2], units)]  # real values stop here, in every layer call
    units = units[_are_multiples(values, units)] if len(units) else units
    return float(units[0]) if len(units) else None


def _are_multiples(values: np.ndarray, units: np.ndarray) -> np.ndarray:
    multiples = values / units[:, None]
    near = np.abs(multiples - np.round(multiples)) <= 1e-9 * np.maximum(1.0, np.abs(multiples))
    return (near & (np.abs(multiples) <= 2**24)).all(axis=1)


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
    return max(float(p.sum()) + float(np.abs(problem.due_dates).max()), 1e-300)


def _grid(problem: JobShop, p: np.ndarray, per_unit: float, noise: np.ndarray, error: float) -> Grid:
    def integers(values: np.ndarray, scale: float) -> np.ndarray:
        return np.round(values * scale).astype(np.int64)

    both = np.concatenate([problem.weights, problem.earliness_weights])
    scale = 1.0
    if not np.array_equal(both, np.round(both)):
        room = _LARGEST / (2 * _horizon(problem, p) * per_unit * problem.num_jobs * both.max())
        scale = float(min(2.0**16 / both.max(), room))
    return Grid(
        integers(p, per_unit) + noise.astype(np.int64),
        integers(problem.due_dates, per_unit),
        integers(problem.weights, scale),
        integers(problem.earliness_weights, scale),
        per_unit,
        scale,
        error,
    )
