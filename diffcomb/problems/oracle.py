"""The plug point between problems and the solvers that decide them exactly.

Problems sit below oracles, so `problem.solve` finds its oracle through this registry; importing
`diffcomb` fills it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from diffcomb.cores import available_cores
from diffcomb.errors import UnknownNameError, UnsupportedError
from diffcomb.problems.result import Status

if TYPE_CHECKING:
    from diffcomb.problems.problem import Problem


@dataclass(frozen=True)
class SolveOptions:
    """Limits of one call.

    Args:
        time_limit: wall-clock seconds per instance; None = until proven.
        num_workers: instances solved side by side; None = one per available core.
        seed: for oracles with randomised heuristics; the same seed gives the same answer.
        progress: show a progress bar (batches) or the oracle's own log line (long single solves).
    """

    time_limit: float | None = None
    num_workers: int | None = None
    seed: int = 0
    progress: bool = False

    def __post_init__(self) -> None:
        if self.time_limit is not None and not self.time_limit > 0:
            raise UnsupportedError(f"time_limit must be positive or None, got {self.time_limit}.")
        if self.num_workers is not None and self.num_workers < 1:
            raise UnsupportedError(f"num_workers must be at least 1 or None, got {self.num_workers}.")

    @property
    def workers(self) -> int:
        return self.num_workers or available_cores()


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

    name: str

    def supports(self, problem: Problem) -> bool:
        """Whether `solve` can take this problem at all (not whether it is fast)."""
        ...

    def solve(self, problem: Problem, costs: np.ndarray, options: SolveOptions) -> OracleAnswer:
        """costs: float64 (batch, n), finite. Never raises for a limit: says so in the status."""
        ...


_ORACLES: dict[str, Oracle] = {}


def register_oracle(oracle: Oracle) -> None:
    """Make `oracle` available by name to every problem it supports."""
    _ORACLES[oracle.name] = oracle


def oracle_names(problem: Problem | None = None, *, exact_only: bool = False) -> list[str]:
    """All oracle names, or those that support `problem`; heuristics last, or left out."""
    fitting = [o for o in _ORACLES.values() if problem is None or o.supports(problem)]
    exact = [o.name for o in fitting if _is_exact(o)]
    return exact if exact_only else exact + [o.name for o in fitting if not _is_exact(o)]


def _is_exact(oracle: Oracle) -> bool:
    # oracles written elsewhere need not say that they are exact
    return getattr(oracle, "exact", True)


def find_oracle(name: str, problem: Problem) -> Oracle:
    """The oracle called `name`; "auto" takes the problem's first choice.

    Raises:
        UnknownNameError: no such oracle.
        UnsupportedError: it exists but cannot take this problem.
    """
    if name == "auto":
        name = problem.default_oracle
    if name not in _ORACLES:
        raise UnknownNameError(f"Unknown oracle {name!r}; choose auto or one of {', '.join(_ORACLES)}.")
    oracle = _ORACLES[name]
    if not oracle.supports(problem):
        raise UnsupportedError(
            f"Oracle {name!r} cannot solve {type(problem).__name__};"
            f" use auto or one of {', '.join(oracle_names(problem))}."
        )
    return oracle
