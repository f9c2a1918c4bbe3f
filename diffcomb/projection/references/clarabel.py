"""Reference solver: Clarabel (Goulart & Chen 2024, arXiv:2405.12762)."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from diffcomb.errors import MissingBackendError, SolveFailedError
from diffcomb.program import Program
from diffcomb.projection.references.reference import PrimalDual, ReferenceProjector
from diffcomb.projection.route import Route


class ClarabelProjector(ReferenceProjector):
    """Projections by Clarabel, an interior-point method for conic programs.

    Raises:
        MissingBackendError: clarabel is not installed.
    """

    name = "clarabel"
    route = Route.CLARABEL

    def __init__(self, program: Program, *, tolerance: float = 1e-8) -> None:
        try:
            import clarabel
        except ImportError:
            raise MissingBackendError("solver='clarabel' needs Clarabel: pip install clarabel") from None
        self._clarabel = clarabel
        super().__init__(program, tolerance=tolerance)

    def minimize(self, program: Program, target: np.ndarray) -> PrimalDual:
        n, p, q = program.num_vars, len(program.b), len(program.h)
        identity = sparse.eye_array(n)
        # A x + s = b with s in a cone: zero for equations, non-negative for inequalities and the box
        rows = sparse.csc_matrix(sparse.vstack([program.A, program.G, -identity, identity]))
        rhs = np.concatenate([program.b, program.h, np.zeros(n), program.upper])
        cones = [self._clarabel.ZeroConeT(p), self._clarabel.NonnegativeConeT(q + 2 * n)]
        settings = self._clarabel.DefaultSettings()
        settings.verbose = False
        settings.max_threads = 1
        settings.tol_feas = settings.tol_gap_abs = settings.tol_gap_rel = 1e-12
        solver = self._clarabel.DefaultSolver(
            sparse.csc_matrix(identity), -target, rows, rhs, cones, settings
        )
        solution = solver.solve()
        if "Solved" not in str(solution.status):
            raise SolveFailedError(f"Clarabel stopped with {solution.status}; use solver='kkt'.")
        z = np.array(solution.z)[p:]
        return PrimalDual(np.array(solution.x), z[q : q + n], z[q + n :], z[:q], int(solution.iterations))
