"""c = sign (C p + c0): from what a network predicts to the costs of all variables, to minimise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from diffcomb.errors import InvalidInstanceError, UnknownNameError
from diffcomb.program.affine_map import AffineMap
from diffcomb.program.own_arrays import real_numbers


@dataclass(frozen=True, eq=False)
class CostMap:
    """c = sign (C p + c0); the user's objective is (C p + c0)'x + slope'p + offset, best at its sense.

    `sign` is the one place that knows about maximisation: oracles and convex solvers minimise c'x, users
    read values of their own objective.

    Args:
        matrix: C, sparse (n, P), without stored zeros: a variable is driven by p where its row has an
            entry, and only driven variables tell the scale of p.
        known: c0, (n,), costs that are not predicted, in the user's sense.
        sign: +1 for sense "min", -1 for "max".
        slope: (P,), the part of the objective that p alone decides; None: 0.
        offset: its constant.

    Raises:
        InvalidInstanceError: shapes that do not fit, a NaN or an infinity.
    """

    matrix: sparse.csr_array
    known: np.ndarray
    sign: int = 1
    slope: np.ndarray | None = None
    offset: float = 0.0

    def __post_init__(self) -> None:
        n, count = self.matrix.shape
        if self.known.shape != (n,):
            raise InvalidInstanceError(
                f"known_costs needs one entry per variable, {n}, got shape {self.known.shape}."
            )
        if self.slope is not None and self.slope.shape != (count,):
            raise InvalidInstanceError(
                f"slope needs one entry per predicted number, {count}, got {self.slope.shape}."
            )
        parts = (self.matrix.data, self.known, np.zeros(0) if self.slope is None else self.slope)
        if not (all(np.isfinite(part).all() for part in parts) and np.isfinite(self.offset)):
            raise InvalidInstanceError("cost_map, known_costs or the constant has a NaN or an infinity.")

    @property
    def num_costs(self) -> int:
        """P, the length of p."""
        return int(self.matrix.shape[1])

    @property
    def num_vars(self) -> int:
        """n, the length of a decision."""
        return int(self.matrix.shape[0])

    @cached_property
    def is_identity(self) -> bool:
        """c = p and nothing else: no map is needed."""
        n, count = self.matrix.shape
        plain = self.sign > 0 and n == count and not self.known.any() and not self.offset
        plain = plain and (self.slope is None or not self.slope.any())
        return bool(plain and (self.matrix != sparse.eye_array(n, format="csr")).nnz == 0)

    def costs(self, theta: Tensor) -> Tensor:
        """p (..., P) -> c (..., n), to minimise."""
        return self._costs(theta)

    def pull(self, grad: Tensor) -> Tensor:
        """sign C'g: a gradient in c (..., n) as one in p (..., P)."""
        return self._costs.pull(grad)

    def linear(self, theta: Tensor) -> Tensor:
        """sign C p (..., n): costs without the known ones, for directions in p."""
        return self._costs.linear(theta)

    def scale(self, theta: Tensor) -> Tensor:
        """mean |sign C p| over the variables that p drives, (..., P) -> (...): what rho and noise are
        measured in. Known costs do not enter; 0 where p drives nothing."""
        return self.mean(self.linear(theta).abs())

    def mean(self, values: Tensor) -> Tensor:
        """Mean over the variables that p drives, (..., n) -> (...)."""
        return (values * self._driven.to(values)).sum(-1) / max(1, int(self._costs.driven.sum()))

    def constant(self, theta: Tensor) -> Tensor:
        """slope'p + offset, (..., P) -> (...): what no decision changes."""
        if self.slope is None:
            return torch.full_like(theta[..., 0], self.offset)
        return (theta * torch.as_tensor(self.slope).to(theta)).sum(-1) + self.offset

    def value(self, z: Tensor, theta: Tensor) -> Tensor:
        """The user's objective at z (..., n) for p (..., P) -> (...)."""
        return self.sign * (z * self.costs(theta)).sum(-1) + self.constant(theta)

    def value_gradient(self, z: Tensor) -> Tensor:
        """d value / dp = C'z + slope, (..., n) -> (..., P)."""
        pulled = self.sign * self.pull(z)
        return pulled if self.slope is None else pulled + torch.as_tensor(self.slope).to(pulled)

    @cached_property
    def _costs(self) -> AffineMap:
        return AffineMap(sparse.csr_array(self.sign * self.matrix), self.sign * self.known)

    @cached_property
    def _driven(self) -> Tensor:
        return torch.from_numpy(self._costs.driven)

    @staticmethod
    def of(
        num_vars: int,
        matrix: object = None,
        known: object = None,
        sense: str = "min",
        slope: np.ndarray | None = None,
        offset: float = 0.0,
    ) -> CostMap:
        """From dense or sparse arrays, copied; a missing C is the identity, missing known costs are 0.

        Raises:
            UnknownNameError: a sense other than "min" and "max".
            InvalidInstanceError: as the class.
        """
        sign = sign_of(sense)
        C = sparse.csr_array(sparse.eye_array(num_vars) if matrix is None else _two_dimensional(matrix))
        C = sparse.csr_array(C, dtype=np.float64, copy=True)
        C.sum_duplicates()
        C.eliminate_zeros()
        if C.shape[0] != num_vars:
            raise InvalidInstanceError(
                f"cost_map needs one row per variable, {num_vars}, got shape {C.shape}:"
                " costs are cost_map @ predicted + known_costs."
            )
        c0 = np.zeros(num_vars) if known is None else real_numbers(known, "known_costs")
        return CostMap(C, c0, sign, slope, offset)


def sign_of(sense: str) -> int:
    """+1 for "min", -1 for "max"."""
    if sense not in ("min", "max"):
        raise UnknownNameError(f"Unknown sense {sense!r}; choose min or max.")
    return 1 if sense == "min" else -1


def _two_dimensional(matrix: object) -> object:
    return matrix if sparse.issparse(matrix) else np.atleast_2d(real_numbers(matrix, "cost_map"))
