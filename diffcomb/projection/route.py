"""Which engine projects: every such choice is made here, and `layer.last.route` names the outcome.

Thresholds are measured ones; each says on what.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import torch

from diffcomb.errors import UnknownNameError, UnsupportedError


class Route(StrEnum):
    """The engines; the names that users read."""

    COMPILED = "compiled"
    COLUMNS = "compiled, columns priced"
    TORCH = "batched torch"
    VERTICES = "vertices"
    PIQP = "piqp"
    CLARABEL = "clarabel"
    CVXOPT = "cvxopt"
    CVXPYLAYERS = "cvxpylayers"


#: what `solver=` may be. "kkt" and "auto" are choices among routes, the others name one
SOLVERS = ("kkt", "kkt_torch", "vertices", "auto", "piqp", "clarabel", "cvxopt", "cvxpylayers")
#: those that the contract suite runs through; cvxpylayers is a yardstick without a face, and auto a
#: choice between two of them
ACCURATE_SOLVERS = tuple(name for name in SOLVERS if name not in ("cvxpylayers", "auto"))
#: those whose rows and adjoint can be chosen
_BY_ROWS = ("kkt", "auto")
_NAMED = {
    "kkt_torch": Route.TORCH,
    "vertices": Route.VERTICES,
    "piqp": Route.PIQP,
    "clarabel": Route.CLARABEL,
    "cvxopt": Route.CVXOPT,
    "cvxpylayers": Route.CVXPYLAYERS,
}

BACKWARDS = ("cholesky", "cg")

#: in units of mean|theta|; around it x_rho is z* for most instances, and two oracle calls prove it
_SMALL_RHO = 5e-3
#: below this many variables a compiled solve is cheaper than the bookkeeping of members
_MANY_VARIABLES = 200
#: largest J (rows x variables) that batched torch holds densely: a batch of 256 takes 0.4 GB
_DENSE_ENTRIES = 200_000
#: standard deviation of the targets up to which all columns at once are faster than pricing: x is spread
#: over many of them there (measured on tours of 100 to 493 cities, distances and normal costs)
_SPREAD_OUT = 2.0
#: an instance with fewer rows of its own is never solved over all rows at once
_MANY_ROWS = 300
#: largest Newton matrices of all rows at once, in entries: a gigabyte
_MOST_ENTRIES = 1.3e8
#: carried^3 rows by dense borders, over the rounds they take, cost as much as 1 / 6 of the blocks' work
_BREAK_EVEN = 6.0
#: bytes of work space that stay in a core's second-level cache
_CACHE = 600_000
#: shorter loops over lanes are not vectorised well
_FEWEST_LANES = 16


@dataclass(frozen=True)
class Facts:
    """What the choice looks at.

    Attributes:
        num_vars, num_rows: of the rows known from the start.
        has_rows: False where the problem is known by its oracle alone.
        is_hull: X = conv(Z), with the rows that are used.
        names_columns: the problem says which columns a solution is likely to use.
        has_own_oracle: a dedicated algorithm decides, much faster than a mixed-integer backend.
    """

    num_vars: int
    num_rows: int
    has_rows: bool = True
    is_hull: bool = False
    names_columns: bool = False
    has_own_oracle: bool = False


def check_solver(name: str, backward: str = "cholesky", *, lazy_rows: bool = True) -> None:
    """Refuse what cannot be projected with, before anything is built.

    Raises:
        UnknownNameError: no such solver or backward.
        UnsupportedError: backward="cg" or lazy_rows=False with another solver than "kkt" or "auto".
    """
    if name not in SOLVERS:
        raise UnknownNameError(f"Unknown solver {name!r}; choose one of {', '.join(SOLVERS)}.")
    if backward not in BACKWARDS:
        raise UnknownNameError(f"Unknown backward {backward!r}; choose one of {', '.join(BACKWARDS)}.")
    if name not in _BY_ROWS and backward == "cg":
        raise UnsupportedError(f"Solver {name!r} has its own adjoint; backward='cg' needs solver='kkt'.")
    if name not in _BY_ROWS and not lazy_rows:
        raise UnsupportedError(f"Solver {name!r} uses all rows; lazy_rows=False needs solver='kkt'.")


def route(
    solver: str, facts: Facts, *, backward: str, lazy_rows: bool, device: torch.device, reach: float
) -> Route:
    """The engine for a batch.

    1. A reference, "kkt_torch" or "vertices" is what it says.
    2. "vertices" where no rows are known: the oracle is all there is.
    3. For "auto": "vertices" where rho <= 0.005 mean|theta| throughout the batch, X = conv(Z), n >= 200 and
       a dedicated oracle decides: the same x_rho and adjoint, sooner. Where X is larger than conv(Z) the two
       answer different questions, so rho never switches between them there.
    4. Columns priced where the problem names likely ones, its lazy rows are used and the factor is kept.
    5. Batched torch on a CUDA device, for rows small enough to be dense and a factorised adjoint.
    6. Compiled.

    Args:
        reach: least mean|theta| / rho in the batch, costs and rho in unit coordinates.
    """
    if solver in _NAMED:
        return _NAMED[solver]
    if not facts.has_rows:
        return Route.VERTICES
    same_hull = facts.is_hull and facts.has_own_oracle and facts.num_vars >= _MANY_VARIABLES
    if solver == "auto" and same_hull and reach * _SMALL_RHO >= 1.0:
        return Route.VERTICES
    if lazy_rows and backward == "cholesky" and facts.names_columns:
        return Route.COLUMNS
    dense = facts.num_rows * facts.num_vars <= _DENSE_ENTRIES
    if device.type == "cuda" and dense and backward == "cholesky":
        return Route.TORCH
    return Route.COMPILED


def prices_columns(spread: float) -> bool:
    """Whether an instance, whose targets have this standard deviation, is solved by pricing columns."""
    return spread > _SPREAD_OUT


def may_take_all_rows(carried: int) -> bool:
    """Whether an instance that would carry so many lazy rows may be solved over all rows at once."""
    return carried >= _MANY_ROWS


def all_rows_pay(carried: int, work: float, entries: int) -> bool:
    """Whether all rows at once are faster than `carried` of them as a border, and fit in memory.

    Args:
        work, entries: sums of size^3 and size^2 over the blocks of the Newton matrix.
    """
    return entries <= _MOST_ENTRIES and _BREAK_EVEN * float(carried) ** 3 > work


def fitting_lanes(n: int, m: int, size: int, batch: int) -> int:
    """Lanes for a batch in groups of at most 32, 0 where one instance at a time is faster.

    Args:
        size: entries of the factor.
    """
    groups = -(-batch // 32)
    lanes = -(-batch // groups) if groups else 0
    fits = 8 * 32 * (17 * n + 9 * m + size) <= _CACHE
    return lanes if fits and lanes >= _FEWEST_LANES else 0
