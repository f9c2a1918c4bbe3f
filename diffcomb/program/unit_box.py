"""x = lower + width y with y in [0, 1]^n: the map that lets one kernel serve every bounded program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from diffcomb.program.program import Program
from diffcomb.program.rows import Rows


@dataclass(frozen=True)
class UnitBox:
    """The affine map between x in [lower, upper] and y in [0, 1]^n, written once and inverted once.

    theta'x = (width theta)'y + const, so costs and gradients are multiplied by `width` on either way;
    rows G x <= h become (G width) y <= h - G lower. Where width = 0 a coordinate is fixed: y = 0.

    Args:
        lower, width: (n,), width = upper - lower >= 0.
    """

    lower: np.ndarray
    width: np.ndarray

    @staticmethod
    def of(program: Program) -> UnitBox:
        return UnitBox(program.lower, program.upper - program.lower)

    @staticmethod
    def unit(num_vars: int) -> UnitBox:
        """The identity."""
        return UnitBox(np.zeros(num_vars), np.ones(num_vars))

    @cached_property
    def is_identity(self) -> bool:
        return not self.lower.any() and bool((self.width == 1.0).all())

    @cached_property
    def inverse_width(self) -> np.ndarray:
        """1 / width, 0 where a coordinate is fixed."""
        return np.divide(1.0, self.width, out=np.zeros_like(self.width), where=self.width > 0)

    @cached_property
    def center(self) -> np.ndarray:
        """(lower + upper) / 2, where y = 1/2."""
        return self.lower + 0.5 * self.width

    def points(self, y: np.ndarray) -> np.ndarray:
        """y (..., n) -> x."""
        return y if self.is_identity else self.lower + self.width * y

    def coordinates(self, x: np.ndarray) -> np.ndarray:
        """x (..., n) -> y."""
        return x if self.is_identity else (x - self.lower) * self.inverse_width

    def rows(self, rows: Rows) -> Rows:
        """Rows over x, rewritten over y."""
        if self.is_identity:
            return rows
        return Rows(_scaled(rows.G, self.width), rows.h - rows.G @ self.lower)

    def program(self, program: Program) -> Program:
        """A program over x, rewritten over y: its box is [0, 1]^n, fixed coordinates [0, 0]."""
        if self.is_identity:
            return program
        every, separation = program.every_lazy_row, program.separation
        return replace(
            program,
            A=_scaled(program.A, self.width),
            b=program.b - program.A @ self.lower,
            G=_scaled(program.G, self.width),
            h=program.h - program.G @ self.lower,
            separation=None if separation is None else lambda y: self.rows(program.separate(self.points(y))),
            every_lazy_row=None if every is None else lambda: self.rows(every()),
            lower=np.zeros(program.num_vars),
            upper=(self.width > 0).astype(np.float64),
            quadratic=None if program.quadratic is None else _both_scaled(program.quadratic, self.width),
        )


def _scaled(M: sparse.csr_array, width: np.ndarray) -> sparse.csr_array:
    return sparse.csr_array(M @ sparse.diags_array(width))


def _both_scaled(Q: sparse.csr_array, width: np.ndarray) -> sparse.csr_array:
    return sparse.csr_array(sparse.diags_array(width) @ Q @ sparse.diags_array(width))
