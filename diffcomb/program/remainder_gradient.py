"""How the continuous part of an optimal decision moves, its integers held: the KKT system of what is left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse

from diffcomb.program.multipliers import multipliers
from diffcomb.program.open_program import OpenProgram
from diffcomb.program.parameters import RowValues

#: tight rows and bounds are met to this, relative to the size of their terms
_TIGHT = 1e-7
#: multipliers, relative to the largest cost, below which a tight row holds nothing
_WEAK = 1e-8


@dataclass(frozen=True, eq=False)
class RemainderGradient:
    """The derivative of x*(p), its integers held, where x* and its multipliers are unique.

    On the free coordinates F (continuous, not at a bound) and the active rows M, with multipliers y,
        [Q M'; M 0] [u; v] = [g; 0]:   d/dc = -u,   d/d side = v,   d/dM = -(y u' + v x'),   d/dQ = -u x'.

    Attributes:
        tied: a tight row without a multiplier, or a singular system: one of several derivatives.
    """

    rows: OpenProgram
    x: np.ndarray
    free: np.ndarray
    active: np.ndarray
    y: np.ndarray
    system: np.ndarray
    tied: bool

    @staticmethod
    def of(rows: OpenProgram, costs: np.ndarray, x: np.ndarray) -> RemainderGradient:
        """At an optimal x (n,) for costs (n,).

        Raises:
            SolveFailedError: x is not optimal.
        """
        y = multipliers(rows, costs, x)
        matrix = sparse.csr_array(sparse.vstack([rows.A, rows.G], format="csr"))
        side = np.concatenate([rows.b, rows.h])
        size = 1.0 + np.abs(x)
        at_bound = (x - rows.lower <= _TIGHT * size) | (rows.upper - x <= _TIGHT * size)
        free = np.flatnonzero(~rows.integer & ~at_bound)
        left = sparse.csr_array(sparse.csc_array(matrix)[:, free])
        room = _TIGHT * (1.0 + np.abs(side) + abs(matrix) @ np.abs(x))
        equal = np.arange(len(side)) < len(rows.b)
        tight = (equal | (side - matrix @ x <= room)) & (np.diff(left.indptr) > 0)
        strong = np.abs(y) > _WEAK * (1.0 + np.abs(costs).max(initial=0.0))
        active = np.flatnonzero(tight & (equal | strong))
        M = left[active].toarray()
        Q = np.zeros((len(free), len(free)))
        if rows.quadratic is not None:
            Q = rows.quadratic[free][:, free].toarray()
        system = np.block([[Q, M.T], [M, np.zeros((len(active), len(active)))]])
        tied = bool((tight & ~equal & ~strong).any()) or _is_singular(system)
        return RemainderGradient(rows, x, free, active, y, system, tied)

    def pull(self, grad: np.ndarray) -> tuple[np.ndarray, RowValues]:
        """d loss / d x (n,) -> d loss / d costs (n,) and d loss / d (A, b, G, h, Q)."""
        target = np.concatenate([grad[self.free], np.zeros(len(self.active))])
        solved = np.linalg.lstsq(self.system, target, rcond=None)[0] if len(target) else target
        u, v = np.zeros(len(self.x)), np.zeros(len(self.y))
        u[self.free], v[self.active] = solved[: len(self.free)], solved[len(self.free) :]
        y = np.zeros(len(self.y))
        # value per unit of side is minus the multiplier of M x - side
        y[self.active] = -self.y[self.active]
        count = len(self.rows.b)

        def entries(matrix: sparse.csr_array, own: slice) -> torch.Tensor:
            i, j = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices
            return torch.from_numpy(-(y[own][i] * u[j] + v[own][i] * self.x[j]))

        quadratic = None
        if self.rows.quadratic is not None:
            Q = self.rows.quadratic
            i, j = np.repeat(np.arange(len(self.x)), np.diff(Q.indptr)), Q.indices
            quadratic = torch.from_numpy(-0.5 * (u[i] * self.x[j] + self.x[i] * u[j]))
        equal, below = slice(0, count), slice(count, None)
        return -u, RowValues(
            A=entries(self.rows.A, equal),
            b=torch.from_numpy(v[equal].copy()),
            G=entries(self.rows.G, below),
            h=torch.from_numpy(v[below].copy()),
            quadratic=quadratic,
        )


def _is_singular(system: np.ndarray) -> bool:
    if not len(system):
        return False
    sizes = np.linalg.svd(system, compute_uv=False)
    return bool(sizes[-1] <= 1e-12 * sizes[0])
