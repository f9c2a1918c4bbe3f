"""A model as it is written down: bounds may be infinite, rows and variables have names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from diffcomb.errors import InfeasibleError, InvalidInstanceError
from diffcomb.program.bounds import Box, Inequalities, finite_box
from diffcomb.program.contradiction import contradiction
from diffcomb.program.names import Names
from diffcomb.program.own_arrays import real_numbers
from diffcomb.program.parameters import RowValues
from diffcomb.program.program import Program

#: what modelling languages mean by infinity
_INFINITE = 1e20


@dataclass(frozen=True, eq=False)
class OpenProgram:
    """A x = b, G x <= h, lower <= x <= upper, x_i whole where `integer`, and a term x'Q x / 2 to minimise.

    Bounds of integer variables are whole numbers or infinite; b and h are finite.

    Args:
        A, G: sparse (p, n), (q, n). b, h: (p,), (q,). lower, upper: (n,). integer: (n,) bool.
        quadratic: Q, symmetric positive semidefinite (n, n), or None.
    """

    A: sparse.csr_array
    b: np.ndarray
    G: sparse.csr_array
    h: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    integer: np.ndarray
    quadratic: sparse.csr_array | None
    names: Names

    @property
    def num_vars(self) -> int:
        return int(self.A.shape[1])

    def at(self, values: RowValues) -> OpenProgram:
        """The same program with the blocks given in `values`, tensors of one instance, in place."""
        changed: dict[str, Any] = {}
        for side in ("b", "h"):
            if (value := getattr(values, side)) is not None:
                changed[side] = value.detach().cpu().double().numpy()
        for block in ("A", "G", "quadratic"):
            if (value := getattr(values, block)) is not None:
                matrix = getattr(self, block)
                data = value.detach().cpu().double().numpy()
                changed[block] = sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
        return replace(self, **changed)

    def close(self, cost_sign: np.ndarray, *, integral: bool) -> tuple[Program, Box]:
        """With finite bounds, taken from the rows where there were none.

        Args:
            cost_sign: (n,) as of `finite_box`.
            integral: as of `Program`.

        Raises:
            InvalidInstanceError: a variable that nothing bounds. InfeasibleError: no point at all.
        """
        self._refuse_crossed()
        linear = np.ones(self.num_vars, dtype=bool)
        if self.quadratic is not None:
            linear = np.abs(self.quadratic).sum(axis=0) == 0
        rows = Inequalities.of(self.A, self.b, self.G, self.h)
        box = finite_box(rows, self.lower, self.upper, self.integer, cost_sign, np.asarray(linear))
        if box.empty:
            raise InfeasibleError(f"This program is infeasible: {contradiction(self, self.names)}.")
        self._refuse_open(box)
        crossed = box.lower > box.upper
        lower = np.where(crossed, box.upper, box.lower)
        program = Program(
            self.A,
            self.b,
            self.G,
            self.h,
            integral,
            lower=lower,
            upper=box.upper,
            integer=self.integer,
            quadratic=self.quadratic,
        )
        if crossed.any() and (box.lower - box.upper)[crossed].max() > 1e-9 * (1 + np.abs(box.upper).max()):
            raise InfeasibleError(f"This program is infeasible: {contradiction(program, self.names)}.")
        return program, box

    def _refuse_crossed(self) -> None:
        crossed = np.flatnonzero(self.lower > self.upper)
        if len(crossed):
            j = crossed[0]
            raise InfeasibleError(
                f"Variable {self.names.variables[j]} has no value: its bounds are {self.lower[j]:g} and"
                f" {self.upper[j]:g}{' for whole numbers' if self.integer[j] else ''}."
            )

    def _refuse_open(self, box: Box) -> None:
        open_sides = np.isinf(box.lower) | np.isinf(box.upper)
        if not open_sides.any():
            return
        j = int(np.flatnonzero(open_sides)[0])
        side = "lower" if np.isinf(box.lower[j]) else "upper"
        others = int(open_sides.sum()) - 1
        more = f" ({others} more variables as well)" if others else ""
        raise InvalidInstanceError(
            f"Variable {self.names.variables[j]} has no {side} bound and the rows imply none;"
            f" give it one{more}."
        )

    @staticmethod
    def of(
        A: Any,
        b: Any,
        G: Any,
        h: Any,
        lower: Any,
        upper: Any,
        integer: Any,
        quadratic: Any = None,
        names: Names | Sequence[str] | None = None,
    ) -> OpenProgram:
        """From dense or sparse arrays, copied and checked; scalars hold for every variable.

        Rows that say nothing (no entries, an infinite right-hand side) are left out, with their names.

        Raises:
            InvalidInstanceError, InfeasibleError: naming the row or the variable.
        """
        A, G, b, h = (_own(given, name) for given, name in ((A, "A"), (G, "G"), (b, "b"), (h, "h")))
        lower, upper = real_numbers(lower, "lower"), real_numbers(upper, "upper")
        widths = {M.shape[-1] if M.ndim in (1, 2) else -1 for M in (A, G) if M is not None}
        widths |= {int(np.shape(v)[0]) for v in (lower, upper, integer) if np.ndim(v) == 1}
        if len(widths) != 1:
            raise InvalidInstanceError(
                "Give A, G or both, with one column per variable, and bounds of one entry per variable."
            )
        n = widths.pop()
        if n <= 0:
            raise InvalidInstanceError("The model has no variables, or its rows are no matrix.")
        left, right = _matrix("A", A, n), _matrix("G", G, n)
        b, h = _right_side("A", b, left), _right_side("G", h, right)
        if not isinstance(names, Names):
            names = Names.of(n, len(b), len(h), names)
        for side, labels in ((b, names.equalities), (h, names.inequalities)):
            wrong = np.flatnonzero(np.isnan(side))
            if len(wrong):
                raise InvalidInstanceError(f"The right-hand side of {labels[wrong[0]]} is NaN.")
        impossible = np.flatnonzero(np.isinf(b))
        if len(impossible):
            raise InvalidInstanceError(f"{names.equalities[impossible[0]]} asks for an infinite value.")
        impossible = np.flatnonzero(h == -np.inf)
        if len(impossible):
            raise InfeasibleError(f"{names.inequalities[impossible[0]]} asks for at most minus infinity.")
        left, b, equalities = _without_empty(left, b, names.equalities, equal=True)
        right, h, inequalities = _without_empty(right, h, names.inequalities, equal=False)
        names = replace(names, equalities=equalities, inequalities=inequalities)
        whole = _mask(integer, n)
        low, high = _bounds(lower, upper, whole, names)
        return OpenProgram(left, b, right, h, low, high, whole, _quadratic(quadratic, n), names)


def _own(given: Any, name: str) -> Any:
    return given if given is None or sparse.issparse(given) else real_numbers(given, name)


def _matrix(name: str, given: Any, n: int) -> sparse.csr_array:
    if given is None:
        return sparse.csr_array((0, n))
    if sparse.issparse(given):
        matrix = sparse.csr_array(given, dtype=np.float64, copy=True)
    else:
        matrix = sparse.csr_array(np.atleast_2d(real_numbers(given, name)))
    if matrix.shape[1] != n:
        raise InvalidInstanceError(f"{name} has {matrix.shape[1]} columns for {n} variables.")
    if not np.isfinite(matrix.data).all():
        raise InvalidInstanceError(f"{name} has a NaN or an infinity.")
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def _without_empty(
    matrix: sparse.csr_array, side: np.ndarray, labels: tuple[str, ...], *, equal: bool
) -> tuple[sparse.csr_array, np.ndarray, tuple[str, ...]]:
    empty = np.diff(matrix.indptr) == 0
    wrong = np.flatnonzero(empty & ((side != 0) if equal else (side < 0)))
    if len(wrong):
        raise InfeasibleError(f"{labels[wrong[0]]} has no variables and does not hold.")
    kept = ~empty & np.isfinite(side)
    if kept.all():
        return matrix, side, labels
    names = tuple(label for label, keep in zip(labels, kept, strict=True) if keep)
    return sparse.csr_array(matrix[np.flatnonzero(kept)]), side[kept], names


def _right_side(name: str, given: Any, matrix: sparse.csr_array) -> np.ndarray:
    side = np.zeros(0) if given is None else np.atleast_1d(given)
    if side.shape != (matrix.shape[0],):
        raise InvalidInstanceError(
            f"{name} has {matrix.shape[0]} rows but its right-hand side has shape {side.shape}."
        )
    return np.where(np.abs(side) >= _INFINITE, np.copysign(np.inf, side), side)


def _mask(given: Any, n: int) -> np.ndarray:
    mask = np.asarray(given)
    if mask.dtype != bool or mask.shape not in ((), (n,)):
        raise InvalidInstanceError(f"integer needs True, False or one of them per variable, {n}.")
    return np.array(np.broadcast_to(mask, n))


def _bounds(lower: Any, upper: Any, integer: np.ndarray, names: Names) -> tuple[np.ndarray, np.ndarray]:
    ends = []
    for name, given in (("lower", lower), ("upper", upper)):
        end = given
        if end.shape not in ((), (len(integer),)):
            raise InvalidInstanceError(
                f"{name} needs one entry per variable, {len(integer)}, got {end.shape}."
            )
        end = np.array(np.broadcast_to(end, len(integer)))
        wrong = np.flatnonzero(np.isnan(end) | (end == (np.inf if name == "lower" else -np.inf)))
        if len(wrong):
            raise InvalidInstanceError(
                f"Variable {names.variables[wrong[0]]} has the {name} bound {end[wrong[0]]}."
            )
        ends.append(np.where(np.abs(end) >= _INFINITE, np.copysign(np.inf, end), end))
    # x <= 0.5 says x <= 0 to a whole number
    return (
        np.where(integer, np.ceil(ends[0] - 1e-9), ends[0]),
        np.where(integer, np.floor(ends[1] + 1e-9), ends[1]),
    )


def _quadratic(given: Any, n: int) -> sparse.csr_array | None:
    if given is None:
        return None
    Q = _matrix("The quadratic term", given, n)
    if Q.shape != (n, n):
        raise InvalidInstanceError(f"The quadratic term needs shape {(n, n)}, got {Q.shape}.")
    Q = sparse.csr_array((Q + Q.T) / 2)
    return Q if Q.nnz else None
