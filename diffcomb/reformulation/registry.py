"""Convex solvers by name."""

from __future__ import annotations

from collections.abc import Callable

from diffcomb.errors import UnknownNameError, UnsupportedError
from diffcomb.problems import Problem
from diffcomb.reformulation.clarabel import ClarabelSolver
from diffcomb.reformulation.cvxopt import CVXOPTSolver
from diffcomb.reformulation.cvxpylayers import CvxpylayersSolver
from diffcomb.reformulation.kkt import KKTSolver
from diffcomb.reformulation.kkt_torch import TorchKKTSolver
from diffcomb.reformulation.piqp import PIQPSolver
from diffcomb.reformulation.relaxed import ConvexSolver
from diffcomb.reformulation.vertices import VerticesSolver

SOLVERS: dict[str, Callable[[Problem], ConvexSolver]] = {
    "kkt": KKTSolver,
    "kkt_torch": TorchKKTSolver,
    "vertices": VerticesSolver,
    # references, for comparisons
    "piqp": PIQPSolver,
    "clarabel": ClarabelSolver,
    "cvxopt": CVXOPTSolver,
    "cvxpylayers": CvxpylayersSolver,
}
#: those that the contract suite runs through; cvxpylayers is a yardstick without a face, and kkt_torch
#: is compared with kkt instance by instance
ACCURATE_SOLVERS = tuple(name for name in SOLVERS if name not in ("cvxpylayers", "kkt_torch"))

BACKWARDS = ("cholesky", "cg")


def make_solver(name: str, problem: Problem, backward: str = "cholesky") -> ConvexSolver:
    """The convex solver called `name`, built for `problem`; `backward` is how its adjoint is solved.

    Raises:
        UnknownNameError: no such solver or backward.
        UnsupportedError: a solver with an adjoint of its own, asked for backward="cg".
    """
    if name not in SOLVERS:
        raise UnknownNameError(f"Unknown solver {name!r}; choose one of {', '.join(SOLVERS)}.")
    if backward not in BACKWARDS:
        raise UnknownNameError(f"Unknown backward {backward!r}; choose one of {', '.join(BACKWARDS)}.")
    if backward == "cg":
        if name != "kkt":
            raise UnsupportedError(f"Solver {name!r} has its own adjoint; backward='cg' needs solver='kkt'.")
        return KKTSolver(problem, backward=backward)
    return SOLVERS[name](problem)
