"""How the optimal value moves with the rows: multipliers with the integers held."""

from __future__ import annotations

import highspy
import numpy as np
import torch
from scipy import sparse

from diffcomb.errors import SolveFailedError
from diffcomb.program.lp_model import highs_model
from diffcomb.program.open_program import OpenProgram
from diffcomb.program.parameters import RowValues


def multipliers(rows: OpenProgram, costs: np.ndarray, z: np.ndarray) -> np.ndarray:
    """y (p + q,), value per unit of right-hand side at the optimal z (n,), equalities first, integers held.

    Those of the linear program at costs c + Q z, of which z is an optimum too. Bounds that were taken from
    rows play no part: the rows themselves do.

    Raises:
        SolveFailedError: z is not optimal for these rows.
    """
    slope = costs if rows.quadratic is None else costs + rows.quadratic @ z
    held = np.round(z)
    model = highs_model(
        sparse.csr_array(sparse.vstack([rows.A, rows.G], format="csr")),
        np.concatenate([rows.b, np.full(len(rows.h), -np.inf)]),
        np.concatenate([rows.b, rows.h]),
        np.where(rows.integer, held, rows.lower),
        np.where(rows.integer, held, rows.upper),
        slope,
    )
    model.run()
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise SolveFailedError("The decision is not optimal for its rows, so it has no multipliers.")
    return np.array(model.getSolution().row_dual)


def row_gradients(rows: OpenProgram, costs: np.ndarray, z: np.ndarray) -> RowValues:
    """d/d(A, b, G, h, Q) of min c'x + x'Q x / 2 at its optimal z (n,), costs c (n,).

    With y the multipliers of the continuous remainder,
        d/db, d/dh = y,   d/dA_ij = -y_i z_j,   d/dQ_ij = z_i z_j / 2.
    Exact where z and y are unique.

    Raises:
        SolveFailedError: z is not optimal for these rows.
    """
    y = multipliers(rows, costs, z)
    count = len(rows.b)

    def entries(matrix: sparse.csr_array, multipliers: np.ndarray) -> torch.Tensor:
        of_row = np.repeat(multipliers, np.diff(matrix.indptr))
        return torch.from_numpy(-of_row * z[matrix.indices])

    quadratic = None
    if rows.quadratic is not None:
        i = np.repeat(np.arange(len(z)), np.diff(rows.quadratic.indptr))
        quadratic = torch.from_numpy(0.5 * z[i] * z[rows.quadratic.indices])
    return RowValues(
        A=entries(rows.A, y[:count]),
        b=torch.from_numpy(y[:count].copy()),
        G=entries(rows.G, y[count:]),
        h=torch.from_numpy(y[count:].copy()),
        quadratic=quadratic,
    )
