"""x_rho as a function of costs *and* of the rows: gradients for b, h and the entries of A and G."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from diffcomb.errors import InvalidInstanceError
from diffcomb.program import Program
from diffcomb.projection.known_rows import RowValues, Solved, solve_known_rows
from diffcomb.projection.normal_system import NormalSystem


@dataclass(frozen=True)
class RowGradients:
    """d loss / d target, d loss / d (J, r) for rows J = [A; G] and right-hand sides r = [b; h]."""

    target: np.ndarray
    rows: np.ndarray
    rhs: np.ndarray


class ParametricProjection:
    """argmin 1/2 ||x - target||^2 over {A x = b, G x <= h, 0 <= x <= 1} for rows that vary.

    With u = P g and v = (J D J')^+ J D g on the face of x, and y its multipliers,
        d/d target = u,   d/d r = v,   d/d J = -(u y' + v x')' on the active rows, 0 on the others.
    Nothing is taken out beforehand: A must have independent rows and X an interior.

    Args:
        num_equalities: rows of A. J: (batch, m, n), r: (batch, m), equalities first.
    """

    def __init__(self, num_equalities: int, J: np.ndarray, r: np.ndarray) -> None:
        n = J.shape[2]
        if not (np.isfinite(J).all() and np.isfinite(r).all()):
            raise InvalidInstanceError("A, b, G and h must be finite.")
        # one elimination for the batch: the union of the patterns, scaled by the largest entries
        union = np.abs(J).max(0)
        G = sparse.csr_array(union[num_equalities:])
        polytope = Program(
            sparse.csr_array(union[:num_equalities]),
            np.zeros(num_equalities),
            G,
            np.zeros(G.shape[0]),
            integral=False,
        )
        self.system = NormalSystem.of(polytope)
        system = self.system
        columns = np.repeat(np.arange(n), np.diff(system.start))
        self._data = np.ascontiguousarray(
            J[:, system.source[system.row_of], columns] * system.scale[system.row_of]
        )
        self._rhs = np.ascontiguousarray(r[:, system.source] * system.scale)

    def solve(self, target: np.ndarray) -> Solved:
        """target (batch, n) -> solution with faces and factors.

        Raises:
            SolveFailedError: an instance is infeasible, or has no interior or dependent equations.
        """
        values = RowValues(self._data, self._rhs)
        return solve_known_rows(self.system, target, np.arange(len(target)), values)

    def gradients(self, solved: Solved, grad: np.ndarray) -> RowGradients:
        """grad = d loss / d x (batch, n)."""
        system = self.system
        u, v = solved.project(np.ascontiguousarray(grad), with_multipliers=True)
        back = np.empty_like(system.source)
        back[system.source] = np.arange(system.num_rows)
        # multipliers of the original rows: scaled rows J~ = s J have y = s y~
        active = solved.solution.active
        y = (solved.solution.y * active * system.scale)[:, back]
        v = (v * active * system.scale)[:, back]
        rows = -(y[:, :, None] * u[:, None, :] + v[:, :, None] * solved.x[:, None, :])
        return RowGradients(u, rows, v)
