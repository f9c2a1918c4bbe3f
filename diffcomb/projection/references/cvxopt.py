"""Reference solver: CVXOPT's quadratic program forward, our dense adjoint backward."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from diffcomb.errors import MissingBackendError, SolveFailedError
from diffcomb.program import Program
from diffcomb.projection.references.reference import PrimalDual, ReferenceProjector
from diffcomb.projection.route import Route


class CVXOPTProjector(ReferenceProjector):
    """Projections by cvxopt.solvers.qp (Andersen, Dahl & Vandenberghe, cvxopt.org; GPL-3, not shipped).

    Raises:
        MissingBackendError: cvxopt is not installed.
    """

    name = "cvxopt"
    route = Route.CVXOPT

    def __init__(self, program: Program, *, tolerance: float = 1e-8) -> None:
        try:
            import cvxopt
            import cvxopt.solvers
        except ImportError:
            raise MissingBackendError("solver='cvxopt' needs CVXOPT: pip install cvxopt") from None
        self._cvxopt = cvxopt
        super().__init__(program, tolerance=tolerance)

    def minimize(self, program: Program, target: np.ndarray) -> PrimalDual:
        n, q = program.num_vars, len(program.h)
        identity = sparse.eye_array(n)
        # CVXOPT needs independent equations; rows of an orthonormal basis span the same space
        left, singular, right = np.linalg.svd(program.A.toarray(), full_matrices=False)
        kept = singular > 1e-10 * max(1.0, singular.max(initial=0.0))
        A, b = right[kept], (left[:, kept].T @ program.b) / singular[kept]
        matrix = self._cvxopt.matrix
        equations = (matrix(A), matrix(b)) if len(b) else (None, None)
        solution = self._cvxopt.solvers.qp(
            self._sparse(identity),
            matrix(-target),
            self._sparse(sparse.vstack([program.G, -identity, identity])),
            matrix(np.concatenate([program.h, np.zeros(n), program.upper])),
            *equations,
            options={"show_progress": False, "abstol": 1e-12, "reltol": 1e-12, "feastol": 1e-12},
        )
        # "unknown" means that rounding stopped it short of 1e-12; the polish and its check decide
        if solution["x"] is None:
            raise SolveFailedError("CVXOPT found no solution; use solver='kkt'.")
        z = np.array(solution["z"]).ravel()
        x = np.array(solution["x"]).ravel()
        return PrimalDual(x, z[q : q + n], z[q + n :], z[:q], int(solution["iterations"]))

    def _sparse(self, M: sparse.sparray) -> object:
        coo = sparse.coo_array(M)
        rows, cols = coo.coords
        return self._cvxopt.spmatrix(coo.data, rows.tolist(), cols.tolist(), size=coo.shape)
