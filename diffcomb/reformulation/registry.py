"""Convex solvers by name."""

from __future__ import annotations

from collections.abc import Callable

from diffcomb.errors import UnknownNameError
from diffcomb.problems import Problem
from diffcomb.reformulation.kkt import KKTSolver
from diffcomb.reformulation.piqp import PIQPSolver
from diffcomb.reformulation.relaxed import ConvexSolver
from diffcomb.reformulation.vertices import VerticesSolver

SOLVERS: dict[str, Callable[[Problem], ConvexSolver]] = {
    "kkt": KKTSolver,
    "vertices": VerticesSolver,
    "piqp": PIQPSolver,
}


def make_solver(name: str, problem: Problem) -> ConvexSolver:
    """The convex solver called `name`, built for `problem`.

    Raises:
        UnknownNameError: no such solver.
    """
    if name not in SOLVERS:
        raise UnknownNameError(f"Unknown solver {name!r}; choose one of {', '.join(SOLVERS)}.")
    return SOLVERS[name](problem)
