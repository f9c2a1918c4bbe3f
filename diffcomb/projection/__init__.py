"""HOW: the projection on a bounded polytope, its engines and derivative, and the relaxed decision on top."""

from diffcomb.projection.projector import Projection, Projector
from diffcomb.projection.relaxed import (
    RelaxedDecision,
    penalty,
    proximal,
    relaxed_decision,
    relaxed_objective,
    slope_at,
    unconstrained_adjoint,
    weighted_distance,
)
from diffcomb.projection.route import ACCURATE_SOLVERS, BACKWARDS, SOLVERS, Route, check_solver
from diffcomb.projection.routed_projector import RoutedProjector

__all__ = [
    "ACCURATE_SOLVERS",
    "BACKWARDS",
    "SOLVERS",
    "Projection",
    "Projector",
    "RelaxedDecision",
    "Route",
    "RoutedProjector",
    "check_solver",
    "penalty",
    "proximal",
    "relaxed_decision",
    "relaxed_objective",
    "slope_at",
    "unconstrained_adjoint",
    "weighted_distance",
]
