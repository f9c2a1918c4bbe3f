"""The continuous remainder of a program: its integers held, what is left is convex."""

from __future__ import annotations

import numpy as np
import piqp
from scipy import sparse

from diffcomb.errors import SolveFailedError
from diffcomb.program.program import Program

#: residuals and gap at which the interior-point method stops
_ACCURACY = 1e-11


def solve_remainder(program: Program, costs: np.ndarray, held: np.ndarray) -> np.ndarray | None:
    """x (n,) with the least c'x + x'Q x / 2 and the integer coordinates of `held`; None: there is none.

    By PIQP (Schwan et al. 2023, arXiv:2304.00290) on the continuous coordinates.

    Raises:
        SolveFailedError: it stopped for another reason.
    """
    free = np.flatnonzero(~program.integer)
    x = np.where(program.integer, np.round(held), 0.0)
    if not len(free):
        return x
    Q = sparse.csr_array((len(x), len(x))) if program.quadratic is None else program.quadratic
    A, b, broken = _rows(program.A, program.b, free, x, equal=True)
    G, h, over = _rows(program.G, program.h, free, x, equal=False)
    if broken or over:
        return None
    solver = piqp.SparseSolver()
    settings = solver.settings
    settings.eps_abs = settings.eps_rel = _ACCURACY
    settings.check_duality_gap = True
    settings.eps_duality_gap_abs = settings.eps_duality_gap_rel = _ACCURACY
    solver.setup(
        sparse.csc_matrix(Q[free][:, free]),
        (costs + Q @ x)[free],
        sparse.csc_matrix(A) if len(b) else None,
        b if len(b) else None,
        sparse.csc_matrix(G) if len(h) else None,
        None,
        h if len(h) else None,
        program.lower[free],
        program.upper[free],
    )
    status = str(solver.solve())
    if "INFEASIBLE" in status:
        return None
    if "SOLVED" not in status and "MAX_ITER" not in status:
        raise SolveFailedError(f"PIQP stopped with {status} on the continuous part of the program.")
    x[free] = np.clip(np.array(solver.result.x), program.lower[free], program.upper[free])
    return x


def _rows(
    matrix: sparse.csr_array, side: np.ndarray, free: np.ndarray, x: np.ndarray, *, equal: bool
) -> tuple[sparse.csr_array, np.ndarray, bool]:
    """Rows over the free columns, without those that have none; whether one of the latter is violated."""
    left = side - matrix @ x
    rows = sparse.csr_array(sparse.csc_array(matrix)[:, free])
    kept = np.diff(rows.indptr) > 0
    room = 1e-9 * (np.abs(side) + abs(matrix) @ np.abs(x))
    broken = (np.abs(left) > room) if equal else (left < -room)
    return sparse.csr_array(rows[np.flatnonzero(kept)]), left[kept], bool(broken[~kept].any())
