"""solver="auto": "kkt" or "vertices", whichever fits the problem and rho."""

from __future__ import annotations

from torch import Tensor

from diffcomb.errors import UnsupportedError
from diffcomb.problems import Problem
from diffcomb.projection.column_pricing import kkt_solver
from diffcomb.projection.relaxed import ConvexSolver, RelaxedDecision
from diffcomb.projection.vertices import VerticesSolver

#: in units of mean|theta|; around it x_rho is z* for most instances, and two oracle calls prove it
_SMALL_RHO = 5e-3
#: below this many variables a compiled solve is cheaper than the bookkeeping of members
_MANY_VARIABLES = 200


class AutoSolver:
    """The rule, in this order.

    1. "vertices" where `problem.polytope` raises UnsupportedError: no description by rows, so the
       oracle is all there is.
    2. "vertices" for a batch with rho <= 0.005 mean|theta| everywhere, where X = conv(Z), n >= 200 and
       the problem has an oracle of its own: the same x_rho and adjoint, sooner.
    3. "kkt" otherwise.

    Where X is larger than conv(Z) the two answer different questions, so rho never switches between
    them there. rho_bar itself is not asked for: it would cost more oracle calls than the solve.

    Args:
        backward, lazy_rows: of "kkt".
    """

    name = "auto"

    def __init__(self, problem: Problem, *, backward: str = "cholesky", lazy_rows: bool = True) -> None:
        self.vertices = VerticesSolver(problem)
        self.kkt: ConvexSolver | None = None
        self._same_hull = False
        try:
            polytope = problem.polytope()
        except UnsupportedError:
            return
        self.kkt = kkt_solver(problem, backward=backward, lazy_rows=lazy_rows)
        self._same_hull = (polytope if lazy_rows else polytope.without_lazy_rows()).integral
        self._same_hull &= problem.num_costs >= _MANY_VARIABLES and problem.default_oracle != "highs"

    def choose(self, theta: Tensor, rho: Tensor) -> ConvexSolver:
        """The solver for theta (batch, n) and rho (batch,)."""
        if self.kkt is None:
            return self.vertices
        if self._same_hull and bool((rho <= _SMALL_RHO * theta.abs().mean(-1)).all()):
            return self.vertices
        return self.kkt

    def solve(self, theta: Tensor, rho: Tensor, start: Tensor | None = None) -> RelaxedDecision:
        chosen = self.choose(theta.detach(), rho)
        if isinstance(chosen, VerticesSolver):
            return chosen.solve(theta, rho, start)
        return chosen.solve(theta, rho)
