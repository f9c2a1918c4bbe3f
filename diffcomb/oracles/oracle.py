"""The plug point between problems and the solvers that decide them exactly.

A problem brings its dedicated algorithms in `Problem.oracles`; the mixed-integer backends, which take any
problem with rows, are known by name here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from diffcomb.errors import UnknownNameError, UnsupportedError
from diffcomb.oracles.limits import Limits
from diffcomb.oracles.result import Status
from diffcomb.program import Program, Rows


class Decidable(Protocol):
    """What oracles read of a problem, which lives above them; `Problem` has it all."""

    num_costs: int

    @property
    def num_vars(self) -> int: ...

    default_oracle: str
    oracles: Sequence[Any]
    is_binary: bool
    has_program: bool

    def polytope(self) -> Program: ...

    def lazy_rows(self, z: np.ndarray) -> Rows: ...

    def repair(self, z: np.ndarray, cost: np.ndarray) -> np.ndarray | None: ...

    def is_feasible(self, z: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class OracleAnswer:
    """decisions (batch, n), lower bounds (batch,), one status per instance; all NumPy float64.

    Rows of instances without a solution are zero. unique: (batch,) bool as in `OracleResult`, or None.
    """

    decisions: np.ndarray
    bounds: np.ndarray
    statuses: tuple[Status, ...]
    unique: np.ndarray | None = None

    @staticmethod
    def proven(decisions: np.ndarray, costs: np.ndarray) -> OracleAnswer:
        """The answer of an oracle that always finishes: bound = value = theta'z."""
        values = np.einsum("bn,bn->b", decisions, costs)
        return OracleAnswer(decisions, values, (Status.OPTIMAL,) * len(values))


class Oracle(Protocol):
    """Solves min theta'z over Z for a batch of costs that share one feasible set.

    A heuristic says so with a class attribute `exact = False`: its answers have no bound (-inf) and the
    status HEURISTIC.
    """

    @property
    def name(self) -> str: ...

    def supports(self, problem: Any) -> bool:
        """Whether `solve` can take this problem at all (not whether it is fast)."""
        ...

    def solve(self, problem: Any, costs: np.ndarray, limits: Limits) -> OracleAnswer:
        """costs: float64 (batch, n), finite. Never raises for a limit: says so in the status."""
        ...


_BACKENDS: dict[str, Oracle] = {}


def register_oracle(oracle: Oracle) -> None:
    """Make a backend available by name to every problem it supports."""
    _BACKENDS[oracle.name] = oracle


def backend_names() -> list[str]:
    """The mixed-integer backends, installed or not."""
    return list(_BACKENDS)


def oracle_names(problem: Decidable, *, exact_only: bool = False) -> list[str]:
    """Names of the oracles that take `problem`, backends and its own; heuristics last, or left out."""
    fitting = list(_fitting(problem).values())
    exact = [o.name for o in fitting if _is_exact(o)]
    return exact if exact_only else exact + [o.name for o in fitting if not _is_exact(o)]


def _fitting(problem: Decidable) -> dict[str, Oracle]:
    backends = {name: oracle for name, oracle in _BACKENDS.items() if oracle.supports(problem)}
    return backends | {oracle.name: oracle for oracle in problem.oracles}


def _is_exact(oracle: Oracle) -> bool:
    # oracles written elsewhere need not say that they are exact
    return getattr(oracle, "exact", True)


def find_oracle(wanted: str | Oracle, problem: Decidable) -> Oracle:
    """The oracle called `wanted`, or `wanted` itself; "auto" takes the problem's first choice.

    Raises:
        UnknownNameError: no oracle of that name takes this problem.
        UnsupportedError: the oracle given, or a backend, cannot take this problem.
    """
    if not isinstance(wanted, str):
        if not wanted.supports(problem):
            raise UnsupportedError(f"Oracle {wanted.name!r} cannot solve {type(problem).__name__}.")
        return wanted
    fitting = _fitting(problem)
    name = problem.default_oracle if wanted == "auto" else wanted
    if name in fitting:
        return fitting[name]
    known = ", ".join(oracle_names(problem))
    if name in _BACKENDS:
        raise UnsupportedError(
            f"Oracle {name!r} cannot solve {type(problem).__name__}; use auto or one of {known}."
        )
    raise UnknownNameError(
        f"Unknown oracle {name!r} for {type(problem).__name__}; choose auto or one of {known}."
    )
