"""The continuous part of a decision, whose integer part is locally constant."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Remainder(Protocol):
    """min over Z splits into an integer part, constant around theta, and a convex program for the rest.

    The solution of that program moves with theta; where it is unique its derivative is exact.

    Attributes:
        tied: (batch,) bool, the derivative is one of several: another integer part, or another set of
            tight constraints, is as good.
    """

    @property
    def tied(self) -> np.ndarray: ...

    def adjoint(self, grad: np.ndarray) -> np.ndarray:
        """(d decision / d theta)' grad, (batch, n) -> (batch, num_costs), float64."""
        ...
