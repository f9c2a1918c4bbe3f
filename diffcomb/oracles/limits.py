"""Who decides and how long it may take: one object from the config to the backend."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from diffcomb.cores import available_cores
from diffcomb.errors import UnsupportedError


@dataclass(frozen=True)
class Limits:
    """The oracle of an exact decision, and its limits.

    Args:
        oracle: "auto", a backend ("highs", "cpsat", ...), a problem's dedicated algorithm, or an `Oracle`.
        time_limit: wall-clock seconds per instance; None = until proven. On reaching it the incumbent is
            returned with its bound and a status that does not say optimal.
        num_workers: instances solved side by side; None = one per available core.
        seed: for oracles with randomised heuristics; the same seed gives the same answer.
        progress: show a progress bar (batches) or the oracle's own log line (long single solves).

    Raises:
        UnsupportedError: a limit that is not positive.
    """

    oracle: Any = "auto"
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

    def with_oracle(self, oracle: Any) -> Limits:
        """The same limits for another oracle."""
        return replace(self, oracle=oracle)

    @staticmethod
    def of(given: Any) -> Limits:
        """Limits as they are; a name or an oracle alone has none."""
        return given if isinstance(given, Limits) else Limits(given)
