"""What the golden file holds: name of a case -> what is asked of the public interface."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from diffcomb.problems import Assignment, GraphColoring, Knapsack, Problem, ShortestPath, TravelingSalesman
from tests.golden import answers
from tests.golden.inputs import Inputs
from tests.golden.losses import losses_and_estimators
from tests.registry import CONVEX_SOLVERS, PROBLEMS, make_problem

Case = Callable[[Inputs], answers.Found]

#: how x_rho is computed -> arguments of DecisionLayer
ROUTES: dict[str, dict[str, Any]] = {name: {"solver": name} for name in CONVEX_SOLVERS} | {
    "auto": {"solver": "auto"},
    "kkt, known rows": {"solver": "kkt", "lazy_rows": False},
    "kkt, cg": {"solver": "kkt", "backward": "cg"},
}
#: larger problems, and batches large enough to be solved side by side -> rho in units of mean|theta|, batch
LARGER: dict[str, tuple[Callable[[], Problem], tuple[float, ...], int]] = {
    "grid 12x12": (lambda: ShortestPath.grid(12, 12), (0.1, 1.0), 4),
    "assignment 20": (lambda: Assignment(20), (0.1, 1.0), 4),
    "tour 20": (lambda: TravelingSalesman(20), (0.1, 1.0), 4),
    # from 100 cities on columns are priced where rho is small
    "tour 100": (lambda: TravelingSalesman(100), (0.1,), 1),
    "knapsack 100": (lambda: _knapsack(100), (0.1, 1.0), 4),
    "coloring 24": (lambda: GraphColoring(_edges(24), 24, 8), (0.1, 1.0), 2),
    "grids 3x4": (lambda: ShortestPath.grid(3, 4), (0.1, 1.0), 48),
    "assignments 4": (lambda: Assignment(4), (0.1, 1.0), 48),
    "knapsacks 10": (lambda: _knapsack(10), (0.1, 1.0), 48),
}


def _knapsack(items: int) -> Knapsack:
    weights = np.random.default_rng(0).uniform(3, 8, (2, items))
    return Knapsack(weights, 0.4 * weights.sum(1))


def _edges(vertices: int) -> np.ndarray:
    """Half of all pairs, at random."""
    pairs = np.stack(np.triu_indices(vertices, 1), axis=1)
    return pairs[np.random.default_rng(1).random(len(pairs)) < 0.5]


def _cases() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for name in PROBLEMS:
        make = partial(make_problem, name)
        cases[f"{name}: exact"] = partial(answers.exact_decisions, name)
        for route, arguments in ROUTES.items():
            cases[f"{name}: {route}"] = partial(
                answers.relaxed_decisions, name, make, arguments, answers.SHARES, 2
            )
        cases[f"{name}: tied costs"] = partial(answers.tied_costs, name)
        cases[f"{name}: losses"] = partial(losses_and_estimators, name)
    for name, (make, shares, batch) in LARGER.items():
        cases[f"{name}: kkt"] = partial(answers.relaxed_decisions, name, make, ROUTES["kkt"], shares, batch)
    for objective in answers.SHOPS:
        cases[f"job shop: {objective}"] = partial(answers.schedules, objective)
    for rho in (1.0, 10.0):
        cases[f"rows: rho {rho}"] = partial(answers.predicted_rows, rho)
    for decision in ("exact", "relaxed"):
        cases[f"list of problems: {decision}"] = partial(answers.list_of_problems, decision)
    cases["training: rho auto"] = answers.training_rho
    return cases


CASES = _cases()
