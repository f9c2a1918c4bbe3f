"""The projector of a problem."""

from __future__ import annotations

from diffcomb.errors import UnsupportedError
from diffcomb.oracles import Limits
from diffcomb.problems import Problem
from diffcomb.projection import RoutedProjector


def projector_of(
    problem: Problem,
    solver: str = "kkt",
    *,
    limits: Limits | None = None,
    backward: str = "cholesky",
    lazy_rows: bool = True,
) -> RoutedProjector:
    """Projections on X of `problem`, or on conv(Z) where its oracle is all that is known.

    Args:
        limits: of the oracle, which "vertices" asks.
        solver, backward, lazy_rows: see `RoutedProjector`.

    Raises:
        As `RoutedProjector`; UnsupportedError where the problem has neither rows nor a linear oracle.
    """
    asked = limits or Limits()
    try:
        program = problem.polytope()
    except UnsupportedError:
        if not problem.has_linear_oracle:
            raise
        program = None
    return RoutedProjector(
        program,
        solver,
        box=problem.unit_box,
        decide=lambda costs: problem.decide(costs, asked),
        candidates=problem.candidate_columns if problem.has_candidate_columns else None,
        has_own_oracle=problem.default_oracle != "highs",
        backward=backward,
        lazy_rows=lazy_rows,
    )
