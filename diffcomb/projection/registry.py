"""Convex solvers by name."""

from __future__ import annotations

from collections.abc import Callable

from diffcomb.errors import UnknownNameError, UnsupportedError
from diffcomb.problems import Problem
from diffcomb.projection.auto import AutoSolver
from diffcomb.projection.column_pricing import kkt_solver
from diffcomb.projection.kkt_device import DeviceKKTSolver
from diffcomb.projection.kkt_torch import TorchKKTSolver
from diffcomb.projection.references.clarabel import ClarabelSolver
from diffcomb.projection.references.cvxopt import CVXOPTSolver
from diffcomb.projection.references.cvxpylayers import CvxpylayersSolver
from diffcomb.projection.references.piqp import PIQPSolver
from diffcomb.projection.relaxed import ConvexSolver
from diffcomb.projection.vertices import VerticesSolver

SOLVERS: dict[str, Callable[[Problem], ConvexSolver]] = {
    "kkt": DeviceKKTSolver,
    "kkt_torch": TorchKKTSolver,
    "vertices": VerticesSolver,
    "auto": AutoSolver,
    # references, for comparisons
    "piqp": PIQPSolver,
    "clarabel": ClarabelSolver,
    "cvxopt": CVXOPTSolver,
    "cvxpylayers": CvxpylayersSolver,
}
#: those that the contract suite runs through; cvxpylayers is a yardstick without a
#: face, and auto a choice between two of them
ACCURATE_SOLVERS = tuple(name for name in SOLVERS if name not in ("cvxpylayers", "auto"))
#: those whose rows and adjoint can be chosen
_BY_ROWS = ("kkt", "auto")

BACKWARDS = ("cholesky", "cg")


def check_solver(name: str, backward: str = "cholesky", *, lazy_rows: bool = True) -> None:
    """Refuse what `make_solver` would refuse, before anything is built.

    Raises:
        UnknownNameError: no such solver or backward.
        UnsupportedError: backward="cg" or lazy_rows=False with another solver than "kkt" or "auto".
    """
    if name not in SOLVERS:
        raise UnknownNameError(f"Unknown solver {name!r}; choose one of {', '.join(SOLVERS)}.")
    if backward not in BACKWARDS:
        raise UnknownNameError(f"Unknown backward {backward!r}; choose one of {', '.join(BACKWARDS)}.")
    if name not in _BY_ROWS and backward == "cg":
        raise UnsupportedError(f"Solver {name!r} has its own adjoint; backward='cg' needs solver='kkt'.")
    if name not in _BY_ROWS and not lazy_rows:
        raise UnsupportedError(f"Solver {name!r} uses all rows; lazy_rows=False needs solver='kkt'.")


def make_solver(
    name: str, problem: Problem, backward: str = "cholesky", *, lazy_rows: bool = True
) -> ConvexSolver:
    """The convex solver called `name`, built for `problem`.

    Args:
        backward: how the adjoint is solved, "cholesky" or "cg".
        lazy_rows: False works on the rows known from the start alone.

    Raises:
        UnknownNameError, UnsupportedError: as `check_solver`.
    """
    check_solver(name, backward, lazy_rows=lazy_rows)
    if name == "kkt":
        return kkt_solver(problem, backward=backward, lazy_rows=lazy_rows)
    if name == "auto":
        return AutoSolver(problem, backward=backward, lazy_rows=lazy_rows)
    return SOLVERS[name](problem)
