"""T_theta: the penalty, the relaxed decision, its solvers, adjoint and exactness threshold."""

from diffcomb.projection.auto import AutoSolver
from diffcomb.projection.penalty import penalty, relaxed_objective
from diffcomb.projection.registry import ACCURATE_SOLVERS, BACKWARDS, SOLVERS, check_solver, make_solver
from diffcomb.projection.relaxed import ConvexSolver, RelaxedDecision
from diffcomb.projection.unconstrained import unconstrained_adjoint
from diffcomb.projection.vertices import VerticesSolver

__all__ = [
    "ACCURATE_SOLVERS",
    "BACKWARDS",
    "SOLVERS",
    "AutoSolver",
    "ConvexSolver",
    "RelaxedDecision",
    "VerticesSolver",
    "check_solver",
    "make_solver",
    "penalty",
    "relaxed_objective",
    "unconstrained_adjoint",
]
