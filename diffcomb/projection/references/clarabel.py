"""Reference solver: Clarabel (Goulart & Chen 2024, arXiv:2405.12762)."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from diffcomb.errors import MissingBackendError, SolveFailedError
from diffcomb.problems import Problem
from diffcomb.program import Program
from diffcomb.projection.references.reference import PrimalDual, ReferenceSolver


class ClarabelSolver(ReferenceSolver):
    """x_rho by Clarabel, an interior-point method for conic programs.

    Raises:
        MissingBackendError: clarabel is not installed.
    """

    name = "clarabel"

    def __init__(self, problem: Problem, *, tolerance: float = 1e-8) -> None:
        try:
            import clarabel
        except ImportError:
            raise MissingBackendError("solver='clarabel' needs Clarabel: pip install clarabel") from None
        self._clarabel = clarabel
        super().__init__(problem, tolerance=tolerance)

    def minimize(self, polytope: Program, cost: np.ndarray) -> PrimalDual:
        n, p, q = polytope.num_vars, len(polytope.b), len(polytope.h)
        identity = sparse.eye_array(n)
        # A x + s = b with s in a cone: zero for equations, non-negative for inequalities and the box
        rows = sparse.csc_matrix(sparse.vstack([polytope.A, polytope.G, -identity, identity]))
        rhs = np.concatenate([polytope.b, polytope.h, np.zeros(n), np.ones(n)])
        cones = [self._clarabel.ZeroConeT(p), self._clarabel.NonnegativeConeT(q + 2 * n)]
        settings = self._clarabel.DefaultSettings()
        settings.verbose = False
        settings.max_threads = 1
        settings.tol_feas = settings.tol_gap_abs = settings.tol_gap_rel = 1e-12
        solver = self._clarabel.DefaultSolver(
            sparse.csc_matrix(identity), cost - 0.5, rows, rhs, cones, settings
        )
        solution = solver.solve()
        if "Solved" not in str(solution.status):
            raise SolveFailedError(f"Clarabel stopped with {solution.status}; use solver='kkt'.")
        z = np.array(solution.z)[p:]
        return PrimalDual(np.array(solution.x), z[q : q + n], z[q + n :], z[:q], int(solution.iterations))
