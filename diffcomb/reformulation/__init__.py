"""T_theta: the penalty, the relaxed decision, its solvers, adjoint and exactness threshold."""

from diffcomb.reformulation.optimal_value import optimal_value
from diffcomb.reformulation.penalty import penalty, relaxed_objective
from diffcomb.reformulation.registry import ACCURATE_SOLVERS, BACKWARDS, SOLVERS, check_solver, make_solver
from diffcomb.reformulation.relaxed import ConvexSolver, RelaxedDecision
from diffcomb.reformulation.threshold import Threshold, exactness_threshold, is_exact

__all__ = [
    "ACCURATE_SOLVERS",
    "BACKWARDS",
    "SOLVERS",
    "ConvexSolver",
    "RelaxedDecision",
    "Threshold",
    "check_solver",
    "exactness_threshold",
    "is_exact",
    "make_solver",
    "optimal_value",
    "penalty",
    "relaxed_objective",
]
