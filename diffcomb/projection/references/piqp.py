"""Reference solver: PIQP (Schwan et al. 2023, arXiv:2304.00290)."""

from __future__ import annotations

import numpy as np
import piqp
from scipy import sparse

from diffcomb.errors import SolveFailedError
from diffcomb.program import Program
from diffcomb.projection.references.reference import PrimalDual, ReferenceProjector
from diffcomb.projection.route import Route


class PIQPProjector(ReferenceProjector):
    """Projections by PIQP, a proximal interior-point method for sparse quadratic programs.

    Args:
        accuracy: residuals and duality gap at which PIQP stops. Small: a face that can be trusted;
            large: what interior-point methods are stopped at by default.
    """

    name = "piqp"
    route = Route.PIQP

    def __init__(self, program: Program, *, tolerance: float = 1e-8, accuracy: float = 1e-12) -> None:
        super().__init__(program, tolerance=tolerance)
        self.accuracy = accuracy

    def minimize(self, program: Program, target: np.ndarray) -> PrimalDual:
        n, q = program.num_vars, len(program.h)
        solver = piqp.SparseSolver()
        solver.settings.eps_abs = solver.settings.eps_rel = self.accuracy
        solver.settings.check_duality_gap = True
        solver.settings.eps_duality_gap_abs = solver.settings.eps_duality_gap_rel = self.accuracy
        A = sparse.csc_matrix(program.A) if len(program.b) else None
        G = sparse.csc_matrix(program.G) if q else None
        solver.setup(
            sparse.eye(n, format="csc"),
            -target,
            A,
            program.b if A is not None else None,
            G,
            None,
            program.h if G is not None else None,
            np.zeros(n),
            program.upper,
        )
        status = solver.solve()
        if "SOLVED" not in str(status) and "MAX_ITER" not in str(status):
            raise SolveFailedError(f"PIQP stopped with {status}; use solver='kkt'.")
        result = solver.result
        return PrimalDual(
            np.array(result.x),
            np.array(result.z_bl),
            np.array(result.z_bu),
            np.array(result.z_u)[:q] if q else np.zeros(0),
            int(result.info.iter),
        )
