"""T_theta: the penalty, the relaxed decision, its solvers, adjoint and exactness threshold."""

from diffcomb.reformulation.auto import AutoSolver
from diffcomb.reformulation.concave_penalty import ConcaveDecision, concave_penalty
from diffcomb.reformulation.optimal_value import optimal_value
from diffcomb.reformulation.penalty import penalty, relaxed_objective
from diffcomb.reformulation.registry import ACCURATE_SOLVERS, BACKWARDS, SOLVERS, check_solver, make_solver
from diffcomb.reformulation.relaxed import ConvexSolver, RelaxedDecision
from diffcomb.reformulation.threshold import Threshold, exactness_threshold, is_exact
from diffcomb.reformulation.unconstrained import unconstrained_adjoint
from diffcomb.reformulation.vertices import VerticesSolver

__all__ = [
    "ACCURATE_SOLVERS",
    "BACKWARDS",
    "SOLVERS",
    "AutoSolver",
    "ConcaveDecision",
    "ConvexSolver",
    "RelaxedDecision",
    "Threshold",
    "VerticesSolver",
    "check_solver",
    "concave_penalty",
    "exactness_threshold",
    "is_exact",
    "make_solver",
    "optimal_value",
    "penalty",
    "relaxed_objective",
    "unconstrained_adjoint",
]
