"""What a discrete solve returns: decision, value, bound, status, seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from torch import Tensor


class Status(StrEnum):
    """Outcome of one solve. The word "optimal" appears exactly when optimality is proven."""

    OPTIMAL = "optimal"
    TRUSTED = "trusted (decided by the given function, not proven here)"
    FEASIBLE = "feasible (limit reached, not proven)"
    HEURISTIC = "heuristic (not proven, no bound)"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown (limit reached, no solution found)"

    @staticmethod
    def worst(statuses: tuple[Status, ...]) -> Status:
        """The status of a batch: the least favourable one of its instances."""
        severity = list(Status)
        return max(set(statuses), key=severity.index, default=Status.OPTIMAL)


@dataclass(frozen=True)
class OracleResult:
    """min over Z of theta'z, as far as the oracle got.

    Attributes:
        decision: (batch, n), 0-1 (start times for scheduling), dtype and device of theta; (n,) if theta was.
        value: (batch,) objective of the decision, float32 or float64; +inf where none was found.
        bound: (batch,) proven lower bound on the optimum; equals value where status is optimal.
        status: the least favourable status of the batch; `statuses` has one per instance.
        seconds: wall-clock seconds of the whole call.
        unique: (batch,) bool, the choice among tied optima is proven too, so that the decision is the
            one the problem defines; None from oracles that leave ties open.
    """

    decision: Tensor
    value: Tensor
    bound: Tensor
    statuses: tuple[Status, ...]
    seconds: float
    unique: Tensor | None = None

    @property
    def status(self) -> Status:
        return Status.worst(self.statuses)

    @property
    def is_optimal(self) -> bool:
        """True when every instance is proven optimal."""
        return self.status is Status.OPTIMAL

    @property
    def gap(self) -> Tensor:
        """(value - bound) / max(|value|, 1e-12) per instance: 0 where proven."""
        return (self.value - self.bound) / self.value.abs().clamp_min(1e-12)
